"""The state of a map: whatever is in it and however it is cut, a client folds the pods that there are (PROTOCOL 33)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kstream.core.client.mapfold import MapFold, thin
from kstream.core.delivery import mapstate
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.mapstate import Rows
from kstream.core.delivery.numbers import Numbers
from kstream.core.timeline.events import Event, Kind, Verb, WatchEvent
from kstream.core.timeline.state import ClusterState
from tests.frames_reader import FrameReader
from tests.making import START, change, labelled, namespace_key, node_key, numbered, pod_key
from tests.said import said

PODS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(("web-1-", "db-", "")), st.integers(0, 9)), max_size=30
)


def state_of(pods: list[tuple[str, str, int]]) -> ClusterState:
    state = ClusterState()
    changes = [change(Verb.ADDED, key) for key in (node_key("n1"), namespace_key("a"), namespace_key("b"))]
    for count, (namespace, stem, number) in enumerate(pods):
        key = pod_key(f"{stem}{number}x{count}", namespace)
        changes.append(
            change(Verb.ADDED, key, note=f"n{number}" if number else "", mark="Failed" if number > 7 else "")
        )
    for event in numbered(changes):
        state.apply(event)
    return state


def numbers_of(state: ClusterState) -> Numbers:
    return Numbers("n", state.pod_uids(None), since=state.seq)


def folded(messages: list[dict[str, Any]]) -> MapFold:
    fold = MapFold()
    for message in messages:
        match said(message)["type"]:
            case "map_state":
                fold.begin(message)
            case "map_pods":
                fold.more(message["data"])
            case _:
                fold.name(message)
    return fold


@example([("a", "", 1)] * 300, 900)
@given(PODS, st.integers(900, 6000))
def test_a_map_is_what_there_is_within_its_limit_and_only_the_last_message_has_the_seq(
    pods: list[tuple[str, str, int]], limit: int
) -> None:
    state, rows = state_of(pods), Rows()
    numbers = numbers_of(state)
    texts = list(
        mapstate.messages(mapstate.capture(state, EVERYTHING), rows, numbers, time=START, limit=limit)
    )
    messages = [json.loads(text) for text in texts]
    assert [("seq" in message) for message in messages] == [False] * (len(messages) - 1) + [True]
    assert messages[-1]["seq"] == state.seq
    for text, message in zip(texts, messages, strict=True):
        columns = (
            message["data"]
            if message["type"] == "map_pods"
            else message.get("data", {}).get("pods", {"number": [0]})
        )
        alone = len(columns["number"]) < 2 and " " not in message.get("names", "")
        assert len(text) <= limit or alone, "one that is too large alone goes alone"
    expected = {
        numbers.of(entry.key.uid): thin(json.loads(entry.body), numbers.of(entry.key.uid))
        for entry in state.entries(Kind.POD)
    }
    assert folded(messages).pods == expected


def test_a_map_may_be_of_some_namespaces_and_labels_and_counts_what_it_shows() -> None:
    state = ClusterState()
    bodies = [("x", "a", "web"), ("y", "a", "db"), ("z", "b", "web")]
    told = [change(Verb.ADDED, namespace_key("a"))] + [
        WatchEvent(
            Verb.ADDED, pod_key(name, space), "1", START, labelled(name, {"app": app}, namespace=space)
        )
        for name, space, app in bodies
    ]
    for event in numbered(told):
        state.apply(event)
    watched = Filter.parse(["a"], labels="app=web", detail="map")
    snapshot = mapstate.encode(
        mapstate.capture(state, watched), Rows(), numbers_of(state), time=START, window_bits=15, answers="s"
    )
    reader = FrameReader()
    messages = [message for frame in snapshot.frames for message in reader.messages(frame)]
    assert messages[0]["id"] == "s"
    assert [space["podCount"] for space in messages[0]["data"]["namespaces"]] == [1]
    assert [pod["name"] for pod in folded(messages).pods.values()] == ["x"]
    nodes = mapstate.capture(state, Filter.parse(kinds=["nodes"], detail="map"))
    assert nodes.uids == []


def test_what_was_read_of_a_body_is_kept_until_there_is_another() -> None:
    rows, uids = Rows(), ["a", "b"]
    first = [labelled(name, {}) for name in uids]
    before = {row.uid: row for row in rows.take(uids, first)}
    after = {row.uid: row for row in rows.take(uids, [first[0], labelled("b", {"x": "y"})])}
    assert after["a"] is before["a"]
    assert after["b"] is not before["b"]


@pytest.mark.parametrize("pods", [1, 0])
def test_what_is_kept_of_pods_that_are_gone_is_bounded(pods: int) -> None:
    rows = Rows()
    uids = [f"u{number}" for number in range(3000)]
    rows.take(uids, [labelled(f"p-{number}", {}) for number in range(3000)])
    kept = rows.groups
    rows.take(uids[:pods], [labelled("p-0", {})][:pods])
    assert rows.groups is not kept


def test_events_of_a_map_are_numbered_from_where_its_numbers_begin() -> None:
    state = state_of([("a", "web-", 1)])
    numbers = numbers_of(state)
    late = Event(state.seq + 1, change(Verb.ADDED, pod_key("late")))
    assert numbers.take(late.change.key.uid, late.change.verb) == 2
