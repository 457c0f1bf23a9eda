from __future__ import annotations

import json

import pytest

from kstream.core.delivery import wire
from kstream.core.delivery.limits import MAX_TAKEN, Limits
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.events import Event, Kind, Verb
from kstream.core.timeline.health import ClusterInfo, ErrorCode, Fault
from kstream.core.timeline.state import Counts
from kstream.core.timeline.timepoint import timestamp
from tests.making import START, body_of, change, pod_key


def test_a_timestamp_is_utc_with_milliseconds() -> None:
    assert timestamp(START + 0.0421) == "2025-01-24T10:00:00.042Z"


def test_an_event_has_the_contracts_shape_and_its_number() -> None:
    item = Event(7, change(Verb.ADDED, pod_key("web"), mark="Pending"))
    assert json.loads(wire.event(item)) == {
        "type": "pod_event",
        "action": "ADDED",
        "seq": 7,
        "data": json.loads(body_of(pod_key("web"), "Pending")),
        "timestamp": "2025-01-24T10:00:00.000Z",
    }


def test_batches_stay_below_the_largest_message_and_only_the_last_has_the_seq() -> None:
    message = b'{"pad":"' + b"x" * 3_000_000 + b'"}'
    parts = wire.batches([message] * 7, seq=9, time=START)
    assert len(parts) == 3
    assert all(len(part) <= wire.MAX_MESSAGE for part in parts)
    assert ["seq" in json.loads(part) for part in parts] == [False, False, True]
    assert sum(len(json.loads(part)["data"]) for part in parts) == 7


def test_a_connection_names_cluster_epoch_and_source() -> None:
    message = wire.connection(
        status="connected",
        cluster=ClusterInfo("kind", "v1.29.0", "uid"),
        epoch="e1",
        term="t1",
        source="live",
        time=START,
        resumed=False,
        reason="too old",
    )
    assert json.loads(message) == {
        "type": "connection",
        "status": "connected",
        "timestamp": "2025-01-24T10:00:00.000Z",
        "cluster": {"name": "kind", "version": "v1.29.0"},
        "epoch": "e1",
        "term": "t1",
        "source": "live",
        "protocol": 1,
        "resumed": False,
        "reason": "too old",
    }


def test_an_error_says_when_to_try_again() -> None:
    message = wire.error(Fault(ErrorCode.RATE_LIMITED, "Too many", "why"), time=START, retry_after=0.25)
    assert json.loads(message)["error"] == {
        "code": "RATE_LIMITED",
        "message": "Too many",
        "details": "why",
        "retryAfter": 0.25,
    }


def test_metrics_have_the_contracts_names() -> None:
    assert json.loads(wire.metrics(Counts(5, 4, 150, 140, 8, 2), time=START, as_of=None))["data"] == {
        "totalNodes": 5,
        "readyNodes": 4,
        "totalPods": 150,
        "runningPods": 140,
        "pendingPods": 8,
        "failedPods": 2,
    }


def test_what_clients_may_say_is_understood() -> None:
    assert wire.parse(b'{"type":"ping","timestamp":"t","more":1}') == wire.Ping(type="ping", timestamp="t")
    assert wire.parse(b'{"type":"subscribe","namespaces":["a"]}') == wire.Subscribe(
        type="subscribe", namespaces=["a"]
    )
    labels = b'{"type":"subscribe","labels":"app=web","kinds":["pods"],"id":9007199254740991}'
    assert wire.parse(labels) == wire.Subscribe(
        type="subscribe", labels="app=web", kinds=["pods"], id=2**53 - 1
    )
    for told in ("x" * 100, "", -(2**53) + 1, None):
        said = wire.parse(json.dumps({"type": "subscribe", "kinds": ["a"] * 10, "id": told}).encode())
        assert isinstance(said, wire.Subscribe)
        assert said.id == told
    command = wire.parse(b'{"type":"playback","action":"seek","at":"-5m","speed":2}')
    assert isinstance(command, wire.PlaybackCommand)
    assert (command.action, command.at, command.speed) == ("seek", "-5m", 2.0)
    for given, speed in (("4", 4.0), ('"max"', "max"), ('"4"', 4.0), ("null", None)):
        command = wire.parse(b'{"type":"playback","action":"play","speed":%b}' % given.encode())
        assert isinstance(command, wire.PlaybackCommand)
        assert command.speed == speed


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("nonsense", "expected"),
        ("[1]", "object"),
        ('"ping"', "object"),
        ("{}", "type: must be 'ping', 'subscribe', 'look' or 'playback'"),
        ('{"type":"delete"}', "type"),
        *(
            (
                f'{{"type":"playback","action":"play","speed":{given}}}',
                'speed: must be a number above 0, or "max"',
            )
            for given in ('"fast"', "true", "[1]", "{}", "1" + "0" * 400)
        ),
        ('{"type":"ping","timestamp":5}', "timestamp"),
        ('{"type":"subscribe","namespaces":"default"}', "namespaces"),
        ('{"type":"subscribe","namespaces":[1]}', "namespaces.0"),
        (
            '{"type":"subscribe"}',
            "namespaces: one of namespaces, kinds, labels and detail is due; [] is everything",
        ),
        (
            '{"type":"subscribe","id":"a"}',
            "namespaces: one of namespaces, kinds, labels and detail is due; [] is everything",
        ),
        ('{"type":"subscribe","kinds":"pods"}', "kinds"),
        (json.dumps({"type": "subscribe", "kinds": ["a"] * 11}), "kinds"),
        ('{"type":"subscribe","kinds":["pods",1]}', "kinds.1"),
        ('{"type":"subscribe","labels":["app=web"]}', "labels"),
        (
            '{"type":"subscribe","labels":"a","id":true}',
            "id: must be a text of at most 100 characters or a whole number",
        ),
        ('{"type":"subscribe","labels":"a","id":1.5}', "id"),
        ('{"type":"subscribe","labels":"a","id":9007199254740992}', "id"),
        ('{"type":"subscribe","labels":"a","id":"%s"}' % ("x" * 101), "id"),
        ('{"type":"playback","action":"explode"}', "action"),
    ],
)
def test_what_is_wrong_is_named(text: str, details: str) -> None:
    with pytest.raises(InvalidMessageError) as caught:
        wire.parse(text.encode())
    assert details in caught.value.details


def test_what_a_client_sent_is_not_quoted_to_it() -> None:
    with pytest.raises(InvalidMessageError) as caught:
        wire.parse(b'{"type":"ping","timestamp":5}')
    assert caught.value.details == "timestamp: must be a text"


def test_an_event_that_was_joined_has_the_verb_of_the_whole() -> None:
    item = Event(7, change(Verb.MODIFIED, pod_key("web")))
    assert json.loads(wire.event(item))["action"] == "MODIFIED"
    assert json.loads(wire.event(item, Verb.ADDED))["action"] == "ADDED"


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("verb", Verb)
def test_what_is_around_a_body_is_what_an_event_has_around_it(kind: Kind, verb: Verb) -> None:
    before, after = wire.around(kind, verb, seq=12, time=START)
    assert json.loads(before + b"{}" + after) == {
        "type": f"{kind}_event",
        "action": verb,
        "seq": 12,
        "data": {},
        "timestamp": "2025-01-24T10:00:00.000Z",
    }
    if kind is Kind.POD:
        item = Event(12, change(verb, pod_key("web")))
        assert wire.event(item) == before + item.change.body + after


def test_a_batch_says_how_far_it_reaches_only_when_it_covers_all_up_to_there() -> None:
    for seq in (None, 0, 9):
        message = json.loads(wire.batch([b"1", b"2"], seq=seq, time=START))
        covered = {} if seq is None else {"seq": seq}
        assert message == {
            "type": "batch",
            **covered,
            "data": [1, 2],
            "timestamp": "2025-01-24T10:00:00.000Z",
        }


def test_a_batch_is_cut_only_where_another_event_would_not_fit() -> None:
    room = wire.MAX_MESSAGE - 200
    half = room // 2 - 1  # and the comma after each
    fits = wire.batches([b"x" * half] * 2, seq=9, time=START)
    over = wire.batches([b"x" * half, b"x" * (half + 1)], seq=9, time=START)
    assert ([len(fits), len(over)], room % 2) == ([1, 2], 0)
    alone = wire.batches([b"x" * (room + 1), b"y"], seq=9, time=START)
    assert len(alone) == 2, "what is too large alone goes alone, and nothing empty before it"
    assert wire.batches([b"1"] * 3, seq=9, time=START) == [wire.batch([b"1"] * 3, seq=9, time=START)]


def test_a_connection_says_no_more_than_is_known() -> None:
    message = json.loads(
        wire.connection(
            status="reconnecting",
            cluster=ClusterInfo("kind", "v1.29.0"),
            epoch="e1",
            term="t1",
            source="live",
            time=START,
        )
    )
    assert set(message) == {"type", "status", "timestamp", "cluster", "epoch", "term", "source", "protocol"}
    message = json.loads(
        wire.connection(
            status="connected",
            cluster=ClusterInfo("kind", "v1.29.0"),
            epoch="e1",
            term="t1",
            source="live",
            time=START,
            limits=Limits(),
        )
    )
    assert message["limits"] == {"messagesPerMinute": 1000, "burst": 50}


def test_an_error_that_no_wait_repairs_names_none() -> None:
    message = json.loads(wire.error(Fault(ErrorCode.WATCH_ERROR, "Ended", "why"), time=START))
    assert message == {
        "type": "error",
        "error": {"code": "WATCH_ERROR", "message": "Ended", "details": "why"},
        "timestamp": "2025-01-24T10:00:00.000Z",
    }
    again = wire.error(Fault(ErrorCode.RATE_LIMITED, "", ""), time=START, retry_after=0.12345)
    assert json.loads(again)["error"]["retryAfter"] == 0.123
    now = wire.error(Fault(ErrorCode.RATE_LIMITED, "", ""), time=START, retry_after=0.0)
    assert json.loads(now)["error"]["retryAfter"] == 0.0


def test_a_pong_echoes_and_a_playback_tells_its_data() -> None:
    assert json.loads(wire.pong("then", as_of=None)) == {"type": "pong", "timestamp": "then"}
    assert json.loads(wire.pong("then", as_of=START))["asOf"] == timestamp(START)
    assert json.loads(wire.metrics(Counts(0, 0, 0, 0, 0, 0), time=START, as_of=START - 1))[
        "asOf"
    ] == timestamp(START - 1)
    assert json.loads(wire.cleared("log", time=START)) == {
        "type": "cleared",
        "fault": "log",
        "timestamp": timestamp(START),
    }
    assert json.loads(wire.playback({"state": "paused"}, time=START)) == {
        "type": "playback",
        "data": {"state": "paused"},
        "timestamp": "2025-01-24T10:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("text", "message", "details"),
    [
        ("[1]", "The message is not a JSON object", ""),
        ("{}", "The message is of an unknown type", "type: "),
        (
            '{"type":"delete"}',
            "The message is of an unknown type",
            "type: must be 'ping', 'subscribe', 'look' or 'playback'",
        ),
        ('{"type":"subscribe","namespaces":[1]}', "A field of the message is wrong", "namespaces.0: "),
        ("{", "The message is not JSON", ""),
    ],
)
def test_what_is_wrong_is_said_in_words(text: str, message: str, details: str) -> None:
    with pytest.raises(InvalidMessageError, match=message) as caught:
        wire.parse(text.encode())
    assert caught.value.details.startswith(details)


@pytest.mark.parametrize(("size", "fits"), [(100, True), (101, False)])
def test_what_is_echoed_is_bounded(size: int, fits: bool) -> None:
    text = json.dumps({"type": "ping", "timestamp": "x" * size})
    if fits:
        assert wire.parse(text.encode()) == wire.Ping(type="ping", timestamp="x" * size)
    else:
        with pytest.raises(InvalidMessageError):
            wire.parse(text.encode())


def test_each_batch_is_filled_as_the_first_one_is() -> None:
    room = wire.MAX_MESSAGE - 200
    half = room // 2 - 1
    assert len(wire.batches([b"x" * half] * 6, seq=9, time=START)) == 3


def test_metrics_say_when_they_were_taken_and_how_old_the_truth_is() -> None:
    counts = Counts(5, 4, 150, 140, 8, 2)
    message = json.loads(wire.metrics(counts, time=START, as_of=START - 1))
    assert message == {
        "type": "metrics",
        "data": counts._asdict(),
        "timestamp": "2025-01-24T10:00:00.000Z",
        "asOf": "2025-01-24T09:59:59.000Z",
    }


@pytest.mark.parametrize(("subject", "named"), [("log", {"fault": "log"}), ("", {})])
def test_what_lasts_has_a_name_to_be_cleared_by(subject: str, named: dict[str, str]) -> None:
    message = json.loads(wire.error(Fault(ErrorCode.WATCH_ERROR, "m", "d", subject), time=START))
    assert message == {
        "type": "error",
        "error": {"code": "WATCH_ERROR", "message": "m", "details": "d", **named},
        "timestamp": "2025-01-24T10:00:00.000Z",
    }


def test_a_filter_names_no_more_than_ten_thousand_whoever_they_are() -> None:
    wire.parse(json.dumps({"type": "subscribe", "namespaces": ["a"] * 10_000}).encode())
    with pytest.raises(InvalidMessageError) as refused:
        wire.parse(json.dumps({"type": "subscribe", "namespaces": ["a"] * 10_001}).encode())
    assert refused.value.details.startswith("namespaces: ")


@pytest.mark.parametrize(("length", "fits"), [(100, True), (101, False)])
def test_a_moment_that_is_asked_for_is_short(length: int, fits: bool) -> None:
    text = json.dumps({"type": "playback", "action": "seek", "at": "x" * length})
    if fits:
        wire.parse(text.encode())
        return
    with pytest.raises(InvalidMessageError) as refused:
        wire.parse(text.encode())
    assert refused.value.details.startswith("at: ")


def test_what_is_longer_than_any_message_has_to_be_is_not_looked_at() -> None:
    longest = b'{"type":"ping"}'.ljust(MAX_TAKEN)
    assert MAX_TAKEN == 65_536
    assert wire.parse(longest) == wire.Ping(type="ping", timestamp=None)
    with pytest.raises(InvalidMessageError, match="The message is too long") as refused:
        wire.parse(b"{" * (MAX_TAKEN + 1))
    assert refused.value.details == "It has 65537 bytes; at most 65536 are looked at"


def test_an_id_comes_back_as_it_was() -> None:
    assert (wire.encode_id("1"), wire.encode_id(1)) == (b'"1"', b"1")
