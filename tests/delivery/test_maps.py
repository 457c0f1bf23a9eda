"""A map stays true: what a client folds of it is what it would see of the whole (PROTOCOL 33)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.clock import VirtualClock
from kstream.core.client.mapfold import MapFold, thin
from kstream.core.delivery.filters import Filter
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.state import ClusterState
from kstream.delivery.hub import Hub
from tests.delivery.sockets import FakeSocket, join
from tests.hubs import running
from tests.making import START, change, namespace_key, node_key, numbered, pod_key, state_of

MAP = Filter.parse(detail="map")
LABELLED = Filter.parse(["a"], labels="app=web", detail="map")


def pod(key: ObjectKey, *, app: str, status: str, node: str | None, restarts: int) -> bytes:
    container = {"name": "main", "ready": not restarts, "restartCount": restarts}
    container |= {"image": "web:1", "state": "running", "reason": None}
    return json.dumps(
        {
            "name": key.name,
            "uid": key.uid,
            "namespace": key.namespace,
            "nodeName": node,
            "phase": "Running",
            "status": status,
            "containers": [container],
            "labels": {"app": app},
            "creationTimestamp": None,
            "owner": {"kind": "Deployment", "name": app},
        },
        separators=(",", ":"),
    ).encode()


@st.composite
def histories(draw: st.DrawFn) -> list[WatchEvent]:
    """What a recorder would let through of a few pods, two namespaces and a node."""
    alive: set[ObjectKey] = set()
    changes = [change(Verb.ADDED, each) for each in (node_key("n1"), namespace_key("a"), namespace_key("b"))]
    keys = [pod_key(name, namespace) for name in ("web-7d5b-x", "web-7d5b-y", "solo") for namespace in "ab"]
    for _ in range(draw(st.integers(0, 40))):
        key = draw(st.sampled_from(keys))
        verb = Verb.MODIFIED if key in alive else Verb.ADDED
        if key in alive and draw(st.integers(0, 3)) == 0:
            alive.remove(key)
            changes.append(change(Verb.DELETED, key))
            continue
        alive.add(key)
        body = pod(
            key,
            app=draw(st.sampled_from(("web", "db"))),
            status=draw(st.sampled_from(("Running", "Error"))),
            node=draw(st.sampled_from((None, "n1", "n2"))),
            restarts=draw(st.integers(0, 2)),
        )
        changes.append(WatchEvent(verb, key, "1", START, body))
    return changes


class Client:
    """The fold, held to the states of a history."""

    def __init__(self, socket: FakeSocket, watched: Filter, states: dict[int, list[str]]) -> None:
        self.fold = MapFold()
        self.socket = socket
        self.watched = watched
        self.states = states
        self.answers: list[dict[str, Any]] = []

    def read(self) -> None:
        for message in self.socket.messages():
            self.take(message)
            # What is looked at is ahead of the others until they are there.
            ahead = self.answers[-1]["seq"] if self.answers else 0
            if message.get("seq", -1) >= ahead and message["type"] != "looked":
                assert self.seen() == self.states[message["seq"]]

    def take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "map_state":
                self.fold.begin(message)
            case "map_pods":
                self.fold.more(message["data"])
            case "map_names":
                self.fold.name(message)
            case "looked":
                self.answers.append(message)
                self.fold.look(message)
            case "batch":
                for event in message["data"]:
                    self.take(event)
            case "map_event" | "pod_event":
                before, _ = self.fold.change(message)
                if not self.answers:
                    assert (before is None) is (message["action"] == "ADDED"), (
                        "the verb is true for who reads it"
                    )

    def seen(self) -> list[str]:
        return sorted(shown({**each, "number": 0, "uid": "#0"}) for each in self.fold.pods.values())


def shown(pod: dict[str, Any]) -> str:
    return json.dumps(pod, sort_keys=True)


def projected(state: ClusterState, watched: Filter) -> list[str]:
    return sorted(
        shown(thin(json.loads(entry.body), 0))
        for entry in state.entries(Kind.POD)
        if watched.lets_through(entry.key, entry.body)
    )


def say(hub: Hub, member: Any, **message: Any) -> None:
    hub.receive(member, json.dumps(message).encode())


async def settled(clock: VirtualClock) -> None:
    for _ in range(3):
        await clock.advance(0.1)


async def play(
    changes: Sequence[WatchEvent], before: int, watched: Filter, looks: dict[int, list[int]], step: int
) -> None:
    events: list[Event] = numbered(changes)
    state, states = ClusterState(), {}
    for event in events:
        state.apply(event)
        states[event.seq] = projected(state, watched)
    states[0] = []
    begun = ClusterState()
    for event in events[:before]:
        begun.apply(event)
    async with running(state=begun) as (hub, clock):
        socket, member = await join(hub, clock, watched)
        client = Client(socket, watched, states)
        await settled(clock)
        client.read()
        for at in range(before, len(events), step):
            hub.publish(events[at : at + step])
            if (wanted := looks.get(at)) is not None:
                say(hub, member, type="look", pods=wanted, id=at)
            await hub.flush()
            await settled(clock)
            client.read()
            assert client.seen() == projected(hub.state, watched)
            bodies = {entry.key.uid: json.loads(entry.body) for entry in hub.state.entries(Kind.POD)}
            for number, whole in client.fold.looked.items():
                assert whole == bodies[whole["uid"]]
                assert client.fold.pods[number] == thin(whole, number)
        assert [answer["id"] for answer in client.answers] == [
            at for at in range(before, len(events), step) if at in looks
        ]


@settings(max_examples=25)
@given(
    changes=histories(),
    before=st.integers(0, 20),
    watched=st.sampled_from((MAP, LABELLED)),
    looks=st.dictionaries(st.integers(0, 43), st.lists(st.integers(0, 8), max_size=4), max_size=12),
    step=st.sampled_from((1, 2, 7)),
)
def test_the_fold_of_a_map_is_the_thin_of_the_whole_at_every_event(
    changes: list[WatchEvent], before: int, watched: Filter, looks: dict[int, list[int]], step: int
) -> None:
    asyncio.run(play(changes, min(before, len(changes)), watched, looks, step))


async def test_large_maps_are_made_elsewhere_and_what_came_meanwhile_follows() -> None:
    state = state_of(2000, "n1")
    async with running(state=state) as (hub, clock):
        sockets = [(await join(hub, clock, MAP))[0] for _ in range(3)]
        hub.publish([Event(state.seq + 1, change(Verb.ADDED, pod_key("late")))])
        fold = MapFold()
        messages: list[dict[str, Any]] = []
        while not any(message["type"] == "map_event" for message in messages):
            await clock.advance(0.1)
            await asyncio.sleep(0.001)
            messages += sockets[0].messages()
        messages = [message for message in messages if message["type"].startswith("map")]
        kinds = [message["type"] for message in messages]
        assert kinds[-3:] == ["map_state", "map_names", "map_event"]
        fold.begin(messages[-3])
        fold.name(messages[-2])
        assert (len(fold.pods), messages[-1]["data"]["number"]) == (2000, 2001)
        assert hub.tally.snapshots == 3
