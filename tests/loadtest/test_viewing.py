from __future__ import annotations

from typing import Any

import pytest

from loadtest.stream import ContractError
from loadtest.viewing import Span, ViewedStream, astray

NOON = "2025-01-24T12:00:"


def pod(seq: int, name: str = "p", *, second: float = 0.0, action: str = "MODIFIED") -> dict[str, Any]:
    data = {"uid": f"uid-{name}", "name": name, "namespace": "default", "phase": "Running", "version": seq}
    stamp = f"{NOON}{second:06.3f}Z"
    return {"type": "pod_event", "action": action, "seq": seq, "data": data, "timestamp": stamp}


def state(seq: int) -> dict[str, Any]:
    data: dict[str, Any] = {"nodes": [], "pods": [], "namespaces": []}
    return {"type": "initial_state", "seq": seq, "data": data, "timestamp": f"{NOON}00.000Z"}


def playback(**data: Any) -> dict[str, Any]:
    known = {"state": "playing", "speed": 1, "at": f"{NOON}00.000Z", "start": "s", "id": "mine"}
    return {"type": "playback", "data": known | data, "timestamp": f"{NOON}00.000Z"}


def take(stream: ViewedStream, *messages: dict[str, Any], now: float = 100.0) -> None:
    for message in messages:
        stream.take(message, now=now, size=100)


def started() -> ViewedStream:
    stream = ViewedStream()
    hello = {"type": "connection", "status": "connected", "epoch": "e", "timestamp": f"{NOON}00.000Z"}
    take(stream, hello, state(5))
    return stream


def test_a_span_is_what_came_since_the_state_and_then_since_the_last_span() -> None:
    stream = started()
    take(stream, pod(6), pod(8))
    assert stream.take_span() == Span(5, 8, (pod(6), pod(8)))
    assert stream.take_span() is None
    take(stream, pod(9))
    assert stream.take_span() == Span(8, 9, (pod(9),))
    take(stream, pod(10), state(3), pod(4))
    assert stream.take_span() == Span(3, 4, (pod(4),)), "what was before a jump belongs to no span"


def test_a_span_goes_on_over_a_resume_and_begins_anew_with_any_other_connection() -> None:
    stream = started()
    take(stream, pod(6))
    stream.connected()
    take(
        stream, {"type": "connection", "status": "connected", "epoch": "e", "resumed": True, "timestamp": "x"}
    )
    take(stream, pod(7))
    assert stream.take_span() == Span(6, 7, (pod(7),))
    stream.connected()
    take(stream, {"type": "connection", "status": "connected", "epoch": "e", "timestamp": "x"})
    assert stream.take_span() is None


def test_a_state_in_parts_is_a_span_only_from_its_end_on() -> None:
    stream = started()
    part = state(9)
    del part["seq"]
    rest = {"type": "batch", "data": [pod(9, action="ADDED")], "timestamp": "x"}
    take(stream, part, rest)
    assert stream.take_span() is None
    take(stream, rest | {"seq": 9, "data": [pod(9, "q", action="ADDED")]}, pod(10))
    assert stream.take_span() == Span(9, 10, (pod(10),))


@pytest.mark.parametrize(
    ("came", "log"),
    [
        ([pod(6), pod(7)], [pod(6), pod(7)]),
        ([pod(7)], [pod(6), pod(7)]),
        ([pod(7, action="ADDED")], [pod(6, action="ADDED"), pod(7)]),
        ([], [pod(6, action="ADDED"), pod(7, action="DELETED")]),
    ],
    ids=["each", "the last of an object", "its first verb", "came and went"],
)
def test_what_the_log_has_may_come_as_the_last_of_each_object(came: list[Any], log: list[Any]) -> None:
    assert astray(Span(5, 9, tuple(came)), log) == []


@pytest.mark.parametrize(
    ("came", "says"),
    [
        ([pod(6)], "event 8, of uid-q, did not come"),
        ([pod(6), pod(7), pod(8, "q")], "event 7 is none of those"),
        ([pod(6), pod(8, "q") | {"data": pod(9, "q")["data"]}], "event 8: .*'version': 9"),
        ([pod(6), pod(8, "q", action="DELETED")], "event 8: .*DELETED"),
    ],
    ids=["missing", "of another timeline", "another object", "another verb"],
)
def test_what_is_not_as_in_the_log_is_said(came: list[Any], says: str) -> None:
    found = astray(Span(5, 9, tuple(came)), [pod(6), pod(8, "q")])
    assert len(found) in (1, 2)
    with pytest.raises(AssertionError, match=says):
        raise AssertionError("; ".join(found))


def test_an_event_outside_of_the_span_is_astray_even_where_the_log_has_it() -> None:
    assert "none of those" in astray(Span(5, 7, (pod(8),)), [pod(8)])[0]


def test_an_event_that_is_shown_before_its_time_is_wrong() -> None:
    stream = started()
    stream.asks("play", now=100.0)
    take(stream, playback(speed=4), now=100.1)
    take(stream, pod(6, second=3.0), now=100.6)
    assert stream.late == 0.0
    with pytest.raises(ContractError, match="before its time"):
        take(stream, pod(7, second=10.0), now=101.0)


def test_how_late_an_event_is_shown_counts_from_when_it_is_due_at_that_speed() -> None:
    stream = started()
    stream.asks("play", now=100.0)
    take(stream, playback(speed=2), now=100.0)
    take(stream, pod(6, second=4.0), now=102.5)
    assert stream.late == pytest.approx(0.5)
    take(stream, playback(), now=103.0)
    assert stream.late is None, "a message without an event says nothing of it"


def test_after_a_seek_nothing_is_early_before_its_state_has_come() -> None:
    stream = started()
    stream.asks("play", now=100.0)
    take(stream, playback(at=f"{NOON}30.000Z"))
    stream.asks("seek", now=101.0)
    take(stream, playback(), now=101.1)
    take(stream, pod(6, second=31.0), now=101.1)
    take(stream, state(2), now=101.2)
    with pytest.raises(ContractError, match="before its time"):
        take(stream, pod(7, second=31.0), now=101.3)


@pytest.mark.parametrize("told", [{"state": "paused"}, {"speed": "max"}], ids=["paused", "max"])
def test_without_a_pace_nothing_is_early_or_late(told: dict[str, Any]) -> None:
    stream = started()
    stream.asks("play", now=100.0)
    take(stream, playback(**told), pod(6, second=50.0))
    assert stream.late is None


def test_whoever_follows_knows_no_command_and_so_no_pace() -> None:
    stream = started()
    take(stream, playback(id="another's"), pod(6, second=50.0))
    assert (stream.late, stream.timeline) == (None, "another's")


def test_what_is_told_to_followers_is_no_answer_to_one_who_leaves_for_a_timeline_of_its_own() -> None:
    stream = started()
    theirs, mine = playback(id="another's"), playback()
    moves = []
    for word in (theirs, theirs, mine):
        take(stream, word)
        moves.append(stream.moves)
        if len(moves) == 1:
            stream.asks("pause", now=100.0)
            assert [stream.answers(word) for word in (theirs, mine)] == [False, True]
    assert moves == [False, False, True]
    stream.asks("live", now=101.0)
    assert stream.answers(playback(state="live", id=None))


def test_an_error_answers_a_command_and_a_fault_of_the_cluster_does_not() -> None:
    refused = {"type": "error", "error": {"code": "INVALID_MESSAGE"}, "timestamp": "x"}
    fault = {"type": "error", "error": {"code": "WATCH_ERROR", "fault": "watch:pods"}, "timestamp": "x"}
    assert [started().answers(word) for word in (refused, fault, pod(6))] == [True, False, False]


def test_a_connection_that_begins_on_a_timeline_of_its_own_moves_it() -> None:
    stream = started()
    stream.returning = 99.0
    for expected in (True, False):
        stream.connected()
        take(
            stream, {"type": "connection", "status": "connected", "epoch": "e", "timestamp": "x"}, playback()
        )
        assert stream.moves is expected


def test_what_retention_tells_is_no_answer_to_a_command_that_is_on_its_way() -> None:
    stream = started()
    stream.asks("play", now=100.0)
    take(stream, playback())
    stream.asks("play", now=105.0)
    take(stream, playback(start="later"), now=105.1)
    take(stream, pod(6, second=5.0), now=105.2)
    take(stream, playback(start="later", at=f"{NOON}05.000Z"), now=105.3)
    with pytest.raises(ContractError, match="before its time"):
        take(stream, pod(7, second=20.0), now=105.4)
