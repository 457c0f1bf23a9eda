from __future__ import annotations

import json

import pytest

from kstream.core.delivery import wire
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.health import ClusterInfo, ErrorCode, Fault
from kstream.core.timeline.state import Counts
from kstream.core.timeline.timepoint import timestamp
from tests.making import START, change, pod_key


def test_a_timestamp_is_utc_with_milliseconds() -> None:
    assert timestamp(START + 0.0421) == "2025-01-24T10:00:00.042Z"


def test_an_event_has_the_contracts_shape_and_its_number() -> None:
    item = Event(7, change(Verb.ADDED, pod_key("web"), mark="Pending"))
    assert json.loads(wire.event(item)) == {
        "type": "pod_event",
        "action": "ADDED",
        "seq": 7,
        "data": {"name": "web", "uid": "uid-default-web", "namespace": "default", "phase": "Pending"},
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
    assert wire.parse('{"type":"ping","timestamp":"t","more":1}') == wire.Ping(type="ping", timestamp="t")
    assert wire.parse('{"type":"subscribe","namespaces":["a"]}') == wire.Subscribe(
        type="subscribe", namespaces=["a"]
    )
    command = wire.parse('{"type":"playback","action":"seek","at":"-5m","speed":2}')
    assert isinstance(command, wire.PlaybackCommand)
    assert (command.action, command.at, command.speed) == ("seek", "-5m", 2.0)


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("nonsense", "expected"),
        ("[1]", "object"),
        ('"ping"', "object"),
        ("{}", "type"),
        ('{"type":"delete"}', "type"),
        ('{"type":"ping","timestamp":5}', "timestamp"),
        ('{"type":"subscribe","namespaces":"default"}', "namespaces"),
        ('{"type":"subscribe","namespaces":[1]}', "namespaces.0"),
        ('{"type":"playback","action":"explode"}', "action"),
    ],
)
def test_what_is_wrong_is_named(text: str, details: str) -> None:
    with pytest.raises(InvalidMessageError) as caught:
        wire.parse(text)
    assert details in caught.value.details
