from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery import snapshot
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.frames import text_frame
from kstream.core.timeline.events import Verb, WatchEvent
from kstream.core.timeline.state import ClusterState
from tests.clientfold import ClientFold
from tests.frames_reader import FrameReader
from tests.making import START, change, labelled, namespace_key, node_key, numbered, pod_key


def state_of(sizes: list[int]) -> ClusterState:
    state = ClusterState()
    keys = [node_key("n1"), node_key("n2"), namespace_key("default")]
    changes = [change(Verb.ADDED, key) for key in keys]
    changes += [change(Verb.ADDED, pod_key(f"p{n}"), note="x" * size) for n, size in enumerate(sizes)]
    for event in numbered(changes):
        state.apply(event)
    return state


@given(st.lists(st.integers(1, 3000), max_size=60), st.integers(1500, 20_000))
def test_a_cut_state_has_everything_within_its_limit_and_only_the_last_message_has_the_seq(
    sizes: list[int], limit: int
) -> None:
    state = state_of(sizes)
    taken = snapshot.capture(state, EVERYTHING)
    messages = snapshot.messages(taken, time=START, limit=limit)
    fold = ClientFold()
    for text in messages:
        message = json.loads(text)
        fold.take(message)
        events = message["data"] if message["type"] == "batch" else ()
        assert len(text) <= limit or len(events) == 1, "one that is too large alone goes alone"
    assert set(fold.objects) == {entry.key.uid for entry in state}
    assert [("seq" in json.loads(text)) for text in messages] == [False] * (len(messages) - 1) + [True]


@pytest.mark.parametrize("bits", [0, 15])
@pytest.mark.parametrize("count", [0, 1, 2, 499, 500, 501, 1001])
def test_the_frames_are_those_of_the_messages(count: int, bits: int) -> None:
    taken = snapshot.capture(state_of([20] * count), EVERYTHING)
    (message,) = snapshot.messages(taken, time=START)
    (frame,) = snapshot.encode(taken, time=START, window_bits=bits).frames
    found: list[dict[str, Any]] = FrameReader().messages(frame)
    assert found == [json.loads(message)]
    if not bits:
        assert frame == text_frame(message, 0)


def test_the_first_message_of_a_state_has_the_id_of_the_subscribe_and_no_other_has() -> None:
    taken = snapshot.capture(state_of([400] * 30), EVERYTHING)
    for answers in ('o"ne', 7):
        first, *rest = [
            json.loads(part.message())
            for part in snapshot.parts(taken, time=START, limit=3000, answers=answers)
        ]
        assert first["id"] == answers
        assert len(rest) > 1
        assert not any("id" in message for message in rest)
        (frame,) = snapshot.encode(taken, time=START, window_bits=0, answers=answers).frames
        assert FrameReader().messages(frame)[0]["id"] == answers
    assert "id" not in json.loads(snapshot.messages(taken, time=START)[0])


def test_a_long_id_takes_its_room_from_the_pods() -> None:
    taken = snapshot.capture(state_of([40] * 30), EVERYTHING)
    for limit in range(2000, 2200, 7):
        parts = snapshot.parts(taken, time=START, limit=limit, answers="\x01" * 100)
        assert all(len(part.message()) <= limit for part in parts)


def test_a_state_without_a_limit_is_one_message() -> None:
    taken = snapshot.capture(state_of([400] * 30), EVERYTHING)
    assert len(snapshot.messages(taken, time=START, limit=None)) == 1


def test_a_state_has_the_kinds_and_the_pods_that_were_asked_for() -> None:
    state = state_of([5])
    web, db = (
        WatchEvent(Verb.ADDED, pod_key(app), "1", START, labelled(app, {"app": app})) for app in ("web", "db")
    )
    for event in numbered([web, db], after=state.seq):
        state.apply(event)

    def shown(**asked: Any) -> dict[str, list[str]]:
        (message,) = snapshot.messages(snapshot.capture(state, Filter.parse(**asked)), time=START)
        return {kind: [item["name"] for item in items] for kind, items in json.loads(message)["data"].items()}

    (message,) = snapshot.messages(snapshot.capture(state, Filter.parse(labels="app=web")), time=START)
    assert json.loads(message)["data"]["namespaces"][0]["podCount"] == 1, "of those that are shown"
    (message,) = snapshot.messages(snapshot.capture(state, Filter.parse(kinds=["namespaces"])), time=START)
    assert "podCount" not in json.loads(message)["data"]["namespaces"][0], (
        "nobody would ever say that it changed"
    )
    assert shown(labels="app=web") == {"nodes": ["n1", "n2"], "pods": ["web"], "namespaces": ["default"]}
    assert shown(labels="app!=web") == {
        "nodes": ["n1", "n2"],
        "pods": ["p0", "db"],
        "namespaces": ["default"],
    }
    assert shown(kinds=["pods"], labels="app") == {"nodes": [], "pods": ["web", "db"], "namespaces": []}
    assert shown(kinds=["nodes", "namespaces"]) == {
        "nodes": ["n1", "n2"],
        "pods": [],
        "namespaces": ["default"],
    }
    assert shown(names=["other"], labels="app") == {"nodes": ["n1", "n2"], "pods": [], "namespaces": []}


def test_a_state_shows_what_the_filter_lets_through() -> None:
    state = state_of([5, 5])
    (text,) = snapshot.messages(snapshot.capture(state, Filter(frozenset({"other"}))), time=START)
    data = json.loads(text)["data"]
    assert (len(data["nodes"]), data["pods"], data["namespaces"]) == (2, [], [])


@pytest.mark.parametrize(("size", "compressed"), [(1024, False), (1025, True)])
def test_a_state_is_compressed_from_the_size_on_from_which_any_message_is(
    size: int, compressed: bool
) -> None:
    (bare,) = snapshot.messages(snapshot.capture(state_of([1]), EVERYTHING), time=START)
    taken = snapshot.capture(state_of([1 + size - len(bare)]), EVERYTHING)
    (message,) = snapshot.messages(taken, time=START)
    (frame,) = snapshot.encode(taken, time=START, window_bits=15).frames
    assert len(message) == size
    assert FrameReader().feed(frame)[0].compressed is compressed


def test_nodes_and_namespaces_take_their_room_from_the_pods() -> None:
    state = ClusterState()
    changes = [change(Verb.ADDED, node_key(f"n{n}"), note="x" * 100) for n in range(300)]
    changes += [change(Verb.ADDED, namespace_key(f"s{n}")) for n in range(300)]
    changes += [change(Verb.ADDED, pod_key(f"p{n}")) for n in range(1000)]
    for event in numbered(changes):
        state.apply(event)
    taken = snapshot.capture(state, EVERYTHING)
    sizes = [len(text) for text in snapshot.messages(taken, time=START, limit=120_000)]
    assert len(sizes) > 1
    assert 120_000 - 600 <= sizes[0] <= 120_000
    small = [change(Verb.ADDED, node_key(f"{n}"), mark="R") for n in range(3000)]
    state = ClusterState()
    for event in numbered([*small, *(change(Verb.ADDED, pod_key(f"p{n}")) for n in range(1000))]):
        state.apply(event)
    taken = snapshot.capture(state, EVERYTHING)
    limit = sum(map(len, taken.nodes)) + 3000 + 5000
    first = snapshot.messages(taken, time=START, limit=limit)[0]
    assert limit - 600 <= len(first) <= limit, "and so do the commas between them"


def test_a_large_state_without_pods_is_deflated_whole() -> None:
    state = ClusterState()
    for event in numbered([change(Verb.ADDED, node_key(f"n{n}")) for n in range(100)]):
        state.apply(event)
    taken = snapshot.capture(state, EVERYTHING)
    (message,) = snapshot.messages(taken, time=START)
    (frame,) = snapshot.encode(taken, time=START, window_bits=15).frames
    assert FrameReader().messages(frame) == [json.loads(message)]
