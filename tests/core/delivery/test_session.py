"""One client: what comes in, what goes out and when, and what ends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING
from kstream.core.delivery.frames import text_frame
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.session import Session
from kstream.core.delivery.snapshot import Snapshot
from kstream.core.delivery.tally import Tally
from kstream.core.delivery.urgent import Word
from kstream.core.errors import DivergedError
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.timepoint import timestamp
from tests.core.delivery.flushed import level, told
from tests.core.delivery.sessions import LIMITS, PART, metrics, pods, pong, sent, session_on, synced
from tests.making import START, change, numbered, pod_key, take


def test_while_tokens_last_each_event_is_its_own_message() -> None:
    backlog = Backlog(head=0)
    session = synced(backlog)
    take(backlog, pods(45))
    assert [message["type"] for message in sent(session, 0.0)] == ["pod_event"] * 45


def test_when_the_bucket_runs_low_events_wait_and_go_as_one_batch() -> None:
    backlog = Backlog(head=0)
    session = synced(backlog)
    take(backlog, pods(45))
    session.flush(0.0)
    take(backlog, pods(30, after=45))
    assert sent(session, 0.0) == []
    assert session.due <= 1 / LIMITS.rate + 1e-3, "at most one refill behind"
    (batch,) = sent(session, session.due)
    assert (batch["type"], batch["seq"], len(batch["data"])) == ("batch", 75, 30)


def test_a_pong_overtakes_events_and_has_tokens_of_its_own() -> None:
    backlog = Backlog(head=0)
    session = synced(backlog)
    take(backlog, pods(45))
    session.flush(0.0)
    take(backlog, pods(5, after=45))
    session.receive(b'{"type":"ping","timestamp":"then"}', now=0.0, time=START)
    assert sent(session, 0.0) == [{"type": "pong", "timestamp": "then"}]


def test_a_ping_without_a_timestamp_gets_the_servers_time() -> None:
    session = session_on(Backlog(head=0))
    session.receive(b'{"type":"ping"}', now=0.0, time=START)
    assert sent(session, 0.0) == [{"type": "pong", "timestamp": "2025-01-24T10:00:00.000Z"}]


def test_one_that_fell_off_the_window_wants_a_new_state() -> None:
    backlog = Backlog(head=0, limits=Limits(window_events=10))
    session = synced(backlog)
    for event in pods(50):
        take(backlog, [event])
    assert sent(session, 0.0) == []
    assert session.wants_snapshot


def test_only_the_newest_metrics_wait() -> None:
    backlog = Backlog(head=0)
    session = synced(backlog)
    take(backlog, pods(45))
    session.flush(0.0)
    session.offer_metrics(metrics(1))
    session.flush(0.0)
    session.offer_metrics(metrics(2))
    assert [message["data"]["totalNodes"] for message in sent(session, 1.0)] == [2]


def test_metrics_cost_a_token_and_each_part_of_a_state_does() -> None:
    session = synced(Backlog(head=0))
    session.offer_metrics(metrics())
    assert told(session) == ["metrics"]
    assert level(session) == LIMITS.burst - 1
    session.restart()
    session.give(Snapshot(0, tuple(text_frame(PART, 0) for _ in range(3))))
    for left in (48, 47, 46):
        assert told(session) == ["batch"], "one at a time"
        assert level(session) == left
    assert (session.tally.messages, session.tally.snapshots) == (4, 1)
    assert session.caught_up


def test_parts_wait_for_tokens_and_leave_the_reserve() -> None:
    session = session_on(Backlog(head=0))
    session.give(Snapshot(0, tuple(text_frame(PART, 0) for _ in range(47))))
    for _ in range(45):
        assert told(session) == ["batch"]
    assert told(session) == []
    assert session.sending
    assert session.due == session.lane.bucket.ready_at(1, 0.0, keep=LIMITS.reserve)
    assert told(session, session.due) == ["batch"]
    assert told(session, session.due) == ["batch"]
    assert not session.sending


def large(count: int) -> list[Event]:
    """Events that are joined into a batch in several parts: more than there are tokens, more than a message holds."""
    changes = [change(Verb.ADDED, pod_key(f"q{n}"), note="x" * 900_000) for n in range(count)]
    return numbered([*changes, *(change(Verb.ADDED, pod_key(f"r{n}")) for n in range(45))])


@pytest.mark.parametrize(("count", "parts"), [(12, 2), (24, 3)])
def test_a_batch_in_several_parts_is_sent_part_by_part_to_its_end(count: int, parts: int) -> None:
    backlog = Backlog(head=0)
    session = synced(backlog)
    take(backlog, large(count))
    found = []
    while not session.caught_up:
        found.append(sent(session, 0.0))
        assert session.sending is not session.caught_up
    assert [[message["type"] for message in each] for each in found] == [["batch"]] * parts
    assert ["seq" in message for (message,) in found] == [False] * (parts - 1) + [True]
    assert sum(len(message["data"]) for (message,) in found) == count + 45
    assert level(session) == LIMITS.burst - parts
    assert session.lane.cursor == count + 45


def test_those_in_a_lane_get_the_rest_of_a_large_batch_alone() -> None:
    backlog = Backlog(head=0)
    session = synced(backlog)
    session.step_in()
    take(backlog, large(24))
    frames = session.lane.events(0.0)
    assert frames is not None
    session.follow_up(frames[1:])
    assert not session.riding
    assert session.flush(0.0) == frames[1]
    assert session.flush(0.0) == frames[2]
    assert session.caught_up


def test_what_waits_for_the_next_part_is_told_when_to_ask() -> None:
    backlog = Backlog(head=0)
    session = synced(backlog)
    take(backlog, large(24))
    assert told(session) == ["batch"]
    assert session.due == 0.0, "there are tokens: at once"


def test_nobody_is_put_past_the_last_event() -> None:
    session = session_on(Backlog(head=7))
    with pytest.raises(DivergedError, match="A client was put at event 8, past the last one, 7"):
        session.resume(8)
    session.resume(7)
    assert session.lane.cursor == 7


@pytest.mark.parametrize(("seq", "told_in"), [(9, ["batch"]), (20, ["batch"]), (49, ["batch"]), (50, [])])
def test_one_that_was_away_gets_what_it_missed_as_one_batch(seq: int, told_in: list[str]) -> None:
    backlog = Backlog(head=0, limits=Limits(window_events=41))
    take(backlog, pods(50))
    session = session_on(backlog)
    assert session.view.lost == 9
    session.catch_up(seq)
    assert told(session) == told_in
    assert session.caught_up
    assert session.lane.cursor == 50


def test_one_that_was_away_for_too_long_falls_off() -> None:
    backlog = Backlog(head=0, limits=Limits(window_events=41))
    take(backlog, pods(50))
    session = session_on(backlog)
    session.catch_up(8)
    assert told(session) == []
    assert (session.wants_snapshot, session.tally.fell_off) == (True, 1)


def test_one_that_steps_out_leaves_the_lane_to_the_others() -> None:
    backlog = Backlog(head=0)
    one, other = synced(backlog), synced(backlog)
    one.step_in()
    lane = one.lane
    assert lane.takes(other.lane, 0.0)
    other.step_in(lane)
    assert (other.lane is lane, lane.riders, other.riding) == (True, 2, True)
    other.tell(Word("", pong()))
    assert (other.riding, lane.riders, other.lane is lane) == (False, 1, False)
    other.step_out()
    assert lane.riders == 1, "it is out already"
    assert told(other) == ["pong"]
    assert (level(other), level(one)) == (LIMITS.burst - 1, LIMITS.burst)
    one.leave()
    assert lane.riders == 0


def test_one_that_rides_steps_out_when_it_is_flushed_alone() -> None:
    backlog = Backlog(head=0)
    session = synced(backlog)
    session.step_in()
    assert session.flush(0.0) == b""
    assert session.riding, "nothing was due"
    take(backlog, pods(1))
    assert told(session) == ["pod_event"]
    assert not session.riding


def test_one_is_plain_when_nothing_is_due_to_it() -> None:
    backlog = Backlog(head=0)
    session = session_on(backlog)
    assert not session.plain, "it wants a state"
    session.resume(0)
    steps: list[Callable[[], object]] = [
        lambda: session.tell(Word("", b"{}")),
        lambda: session.offer_metrics(b"{}"),
        lambda: session.follow_up((b"part",)),
        lambda: take(backlog, pods(1)),
    ]
    found = [session.plain]
    for step in steps:
        step()
        found.append(session.plain)
        session.flush(0.0)
        found.append(session.plain)
    assert found == [True, *[False, True] * 4]
    assert session.window_bits == 0


def test_a_pong_says_up_to_when_what_the_client_has_is_complete() -> None:
    backlog = Backlog(head=0)
    session = session_on(backlog)

    def as_of(now: float) -> str | None:
        session.receive(b'{"type": "ping", "timestamp": "x"}', now=now, time=START + 9, as_of=START + 8)
        pong = next(message for message in sent(session, now) if message["type"] == "pong")
        return pong.get("asOf")

    assert as_of(0.0) is None, "it has no state"
    session.resume(0)
    assert as_of(1.0) == timestamp(START + 8)
    take(backlog, pods(2), as_of=START + 4)
    assert as_of(2.0) == timestamp(START + 4), "as before the first event that it has not got yet"
    assert as_of(3.0) == timestamp(START + 8)
    session.receive(b'{"type": "ping", "timestamp": "x"}', now=4.0, time=START + 9)
    assert "asOf" not in sent(session, 4.0)[0], "nobody knows"


STEPS_OUT: list[Callable[[Session], object]] = [
    lambda session: session.tell(Word("", b"{}")),
    lambda session: session.offer_metrics(b"{}"),
    lambda session: session.restart(),
    lambda session: session.give(Snapshot(0, ())),
    lambda session: session.resume(0),
    lambda session: session.move(Backlog(head=0)),
    lambda session: session.follow_up((b"part",)),
]


@pytest.mark.parametrize("step", STEPS_OUT)
def test_what_is_for_one_alone_does_not_reach_those_it_rides_with(step: Callable[[Session], object]) -> None:
    backlog = Backlog(head=0)
    one, other = synced(backlog), synced(backlog)
    one.step_in()
    other.step_in(one.lane)
    lane, view = one.lane, one.view
    step(other)
    assert (other.riding, other.lane is lane) == (False, False)
    assert (one.riding, one.lane is lane, lane.riders) == (True, True, 1)
    assert (lane.metrics, lane.view is view, one.plain) == (None, True, True)


@pytest.mark.parametrize("step", STEPS_OUT)
def test_one_that_is_alone_keeps_its_lane(step: Callable[[Session], object]) -> None:
    session = synced(Backlog(head=0))
    lane = session.lane
    step(session)
    assert (session.riding, session.lane is lane, lane.riders) == (False, True, 1)


def test_a_session_counts_where_it_is_told_to() -> None:
    tally = Tally()
    session = Session(Backlog(head=0), EVERYTHING, limits=LIMITS, window_bits=0, now=0.0, tally=tally)
    assert (session.tally is tally, session.riding) == (True, False)
    session.receive(b"{", now=0.0, time=START)
    assert tally.invalid == 1


def test_one_that_waits_for_a_state_is_told_of_no_event() -> None:
    backlog = Backlog(head=0)
    session = session_on(backlog)
    take(backlog, pods(3))
    assert session.flush(0.0) == b""
    assert session.wants_snapshot
    session.give(Snapshot(3, ()))
    assert session.flush(0.0) == b""


def test_what_is_wanted_no_more_is_not_waited_for() -> None:
    backlog = Backlog(head=0)
    session = synced(backlog)
    take(backlog, large(24))
    told(session)
    assert session.due == 0.0
    session.restart()
    assert session.flush(0.0) == b""
    assert session.due == LIMITS.heartbeat


def test_what_is_told_meanwhile_is_not_waited_for_either() -> None:
    backlog = Backlog(head=0)
    session = synced(backlog)
    take(backlog, large(24))
    told(session)
    session.restart()
    session.tell(Word("", pong()))
    assert told(session) == ["pong"]
    assert session.due == LIMITS.heartbeat


def test_after_what_was_waited_for_only_the_heartbeat_is_due() -> None:
    backlog = Backlog(head=0)
    session = synced(backlog)
    session.lane.bucket.take(LIMITS.burst - LIMITS.reserve, 0.0)
    take(backlog, pods(1))
    assert told(session) == []
    waited = session.due
    assert waited == session.lane.bucket.ready_at(1, 0.0, keep=LIMITS.reserve)
    assert told(session, waited) == ["pod_event"]
    assert session.due == LIMITS.heartbeat
    take(backlog, pods(1, 1))
    assert told(session, waited + 1) == ["pod_event"]
    assert session.due == LIMITS.heartbeat


def test_the_rest_of_a_large_batch_is_due_with_the_next_token() -> None:
    backlog = Backlog(head=0)
    session = synced(backlog)
    session.lane.bucket.take(LIMITS.burst - LIMITS.reserve - 1, 0.0)
    take(backlog, large(24))
    assert told(session) == ["batch"]
    assert session.due == session.lane.bucket.ready_at(1, 0.0, keep=LIMITS.reserve) > 0.0


def test_one_whose_state_is_only_sent_in_part_is_not_told_that_it_is_complete() -> None:
    backlog = Backlog(head=0)
    session = session_on(backlog)
    session.resume(0, (text_frame(b'{"part":1}', 0), text_frame(b'{"part":2}', 0)))
    assert session.complete_until(START + 8) is None
    session.flush(0.0)
    assert session.complete_until(START + 8) is None
    session.flush(0.0)
    assert session.complete_until(START + 8) == START + 8
