"""What a client watches, on a real socket (PROTOCOL 14, 30)."""

from __future__ import annotations

import json

from kstream.core.timeline.events import Verb, WatchEvent
from tests.making import START, change, labelled, node_key, pod_key
from tests.web.serving import connect, serving
from tests.web.taking import take


async def test_only_the_namespaces_asked_for_come() -> None:
    async with serving() as server, connect(server.ws + "?namespaces=shop,bank") as ws:
        _, state = await take(ws, 2)
        assert state["data"]["pods"] == []
        assert len(state["data"]["nodes"]) == 1
        await server.add_pods("x", namespace="other")
        await server.add_pods("y", namespace="bank")
        (event,) = await take(ws, 1)
        assert event["data"]["name"] == "y"


async def test_pods_come_by_their_labels_from_the_moment_they_match_until_they_cease_to() -> None:
    key = pod_key("x")

    def as_it_is(verb: Verb, app: str) -> WatchEvent:
        return WatchEvent(verb, key, "1", START, labelled("x", {"app": app}))

    async with serving() as server:
        await server.log.append([as_it_is(Verb.ADDED, "db")])
        async with connect(server.ws + "?kinds=pods&labels=app%3Dweb") as ws:
            _, state = await take(ws, 2)
            assert state["data"] == {"nodes": [], "pods": [], "namespaces": []}
            await server.log.append([as_it_is(Verb.MODIFIED, "web"), change(Verb.MODIFIED, node_key("n1"))])
            await server.log.append([as_it_is(Verb.MODIFIED, "db"), change(Verb.DELETED, key)])
            await server.add_pods("last")
            began, ceased = await take(ws, 2)
            assert (began["action"], began["seq"], began["data"]["labels"]) == ("ADDED", 4, {"app": "web"})
            assert (ceased["action"], ceased["seq"]) == ("DELETED", 6)
            assert ceased["data"] == {"uid": key.uid, "name": "x", "namespace": "default"}
            await ws.send(json.dumps({"type": "subscribe", "labels": "app!=web", "id": "all others"}))
            (answer,) = await take(ws, 1)
        assert (answer["id"], [pod["name"] for pod in answer["data"]["pods"]]) == (
            "all others",
            ["p1", "last"],
        )
        async with connect(f"{server.ws}?labels=app%3Dweb&{server.token(3)}") as ws:
            first, batch = await take(ws, 2)
        assert (first["resumed"], batch["type"], batch["seq"]) == (True, "batch", 8)
        assert [event["type"] for event in batch["data"]] == ["node_event"], "what came and went cancels out"
        async with connect(f"{server.ws}?labels=app%3Dweb&{server.token(1)}") as ws:
            first, state = await take(ws, 2)
        assert (first["resumed"], state["type"]) == (False, "initial_state")
        assert first["reason"].startswith("seq 1 is no longer in memory")
