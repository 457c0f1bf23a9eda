from __future__ import annotations

from typing import Any

import pytest

from loadtest.stream import CheckedStream, ContractError

STAMP = "2025-01-24T10:00:00.000Z"


def pod(seq: int, name: str = "p", namespace: str = "default", action: str = "ADDED") -> dict[str, Any]:
    data = {"uid": f"uid-{name}", "name": name, "namespace": namespace, "phase": "Running"}
    return {"type": "pod_event", "action": action, "seq": seq, "data": data, "timestamp": STAMP}


def batch(seq: int, *events: dict[str, Any]) -> dict[str, Any]:
    return {"type": "batch", "seq": seq, "data": list(events), "timestamp": STAMP}


def started(namespaces: frozenset[str] | None = None) -> CheckedStream:
    stream = CheckedStream(namespaces)
    connection = {
        "type": "connection",
        "status": "connected",
        "epoch": "e",
        "resumed": False,
        "timestamp": STAMP,
    }
    state: dict[str, Any] = {"nodes": [], "pods": [], "namespaces": []}
    stream.take(connection, now=0.0, size=1)
    stream.take({"type": "initial_state", "seq": 5, "data": state, "timestamp": STAMP}, now=0.0, size=1)
    return stream


def take(stream: CheckedStream, *messages: dict[str, Any]) -> None:
    for message in messages:
        stream.take(message, now=1.0, size=100)


def test_what_keeps_the_contract_is_folded() -> None:
    stream = started()
    take(stream, pod(6, "a"), batch(9, pod(7, "b"), pod(9, "c")), pod(12, "a", action="DELETED"))
    answer = {"data": {"nodes": [], "namespaces": [], "pods": [pod(0, "b")["data"], pod(0, "c")["data"]]}}
    assert stream.differences(answer) == []
    answer["data"]["pods"].append(pod(0, "d")["data"])
    assert len(stream.differences(answer)) == 1


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([pod(5)], "came after"),
        ([pod(7), pod(6)], "came after"),
        ([batch(9, pod(7), pod(8))], "two events for one object"),
        ([batch(9, pod(8, "a"), pod(7, "b"))], "order of the log"),
        ([batch(7, pod(8))], "covers less"),
        ([pod(9), batch(8, pod(8))], "came in a batch after"),
        ([pod(9), batch(8)], "came after"),
        ([pod(7), batch(9, pod(7), pod(9, "b"))], "event 7 came in a batch after 7"),
        ([pod(6, namespace="other")], "'other'"),
        ([{"type": "metrics", "data": {}}], "timestamp"),
    ],
)
def test_what_breaks_the_contract_is_said(messages: list[dict[str, Any]], says: str) -> None:
    stream = started(frozenset({"default"}))
    with pytest.raises(ContractError, match=says):
        take(stream, *messages)


def test_a_connection_that_begins_with_something_else_is_wrong() -> None:
    with pytest.raises(ContractError, match="first message"):
        CheckedStream().take(pod(1), now=0.0, size=1)


def test_more_than_a_thousand_in_a_minute_is_too_many() -> None:
    stream = started()
    for number in range(998):
        stream.take(pod(6 + number, f"p{number}"), now=1.0 + number * 0.05, size=1)
    with pytest.raises(ContractError, match="within 60 s"):
        stream.take(pod(2000), now=59.0, size=1)


def test_a_message_over_ten_megabytes_is_too_large() -> None:
    with pytest.raises(ContractError, match="bytes"):
        started().take(pod(6), now=1.0, size=10_000_001)


def test_one_who_reads_late_cannot_tell_when_it_was_sent() -> None:
    """After a silence it reads in an instant what was sent in many seconds."""
    stream = CheckedStream(prompt=False)
    stream.take({"type": "connection", "status": "connected", "timestamp": STAMP}, now=0.0, size=1)
    for _ in range(1500):
        stream.take({"type": "metrics", "data": {}, "timestamp": STAMP}, now=1.0, size=1)
    assert stream.messages == 1501


def test_what_breaks_a_limit_is_folded_in_all_the_same() -> None:
    stream = started()
    with pytest.raises(ContractError, match="bytes"):
        stream.take(pod(6, "a"), now=1.0, size=20_000_000)
    assert stream.differences({"data": {"nodes": [], "namespaces": [], "pods": [pod(6, "a")["data"]]}}) == []


def test_events_come_after_the_state_that_they_belong_to_also_on_the_next_connection() -> None:
    stream = started()
    stream.connected()
    hello = {"type": "connection", "status": "connected", "epoch": "e", "timestamp": STAMP}
    take(stream, hello | {"resumed": True}, pod(6))
    stream.connected()
    take(stream, hello)
    with pytest.raises(ContractError, match="before the state"):
        take(stream, pod(7))
