"""A map on a real socket: asked for, resumed by its numbers, and given anew where these are others (PROTOCOL 33)."""

from __future__ import annotations

import json

import pytest

from kstream.client import Client
from kstream.core.timeline.events import Verb
from tests.making import change, pod_key
from tests.web.serving import connect, serving
from tests.web.taking import take


async def test_a_map_goes_on_where_it_was_by_the_same_numbers() -> None:
    async with serving() as server:
        async with connect(server.ws + "?detail=map") as ws:
            _, state, names = await take(ws, 3)
            assert (state["data"]["pods"]["number"], names["names"], names["seq"]) == ([1], "p1", 2)
        await server.add_pods("late")
        await server.log.append([change(Verb.DELETED, pod_key("p1"))])
        await server.taken_in()
        query = f"?detail=map&{server.token(2)}&numbers="
        async with connect(server.ws + query + state["numbers"]) as ws:
            first, batch = await take(ws, 2)
            assert first["resumed"] is True
            assert [(each["action"], each["data"]["number"]) for each in batch["data"]] == [
                ("ADDED", 2),
                ("DELETED", 1),
            ]
        for others in ("", "another"):
            async with connect(server.ws + query + others) as ws:
                first, state, names = await take(ws, 3)
                assert (first["resumed"], first["reason"].split(":")[0]) == (False, "a map")
                assert names["names"] == "late"


async def test_a_subscribe_changes_the_detail_and_its_state_has_the_id() -> None:
    async with serving() as server, connect(server.ws) as ws:
        await take(ws, 2)
        for detail, kind in (("map", "map_state"), ("whole", "initial_state")):
            await ws.send(json.dumps({"type": "subscribe", "detail": detail, "id": detail}))
            state, *_ = await take(ws, 2 if detail == "map" else 1)
            assert (state["type"], state["id"]) == (kind, detail)
        await ws.send(json.dumps({"type": "subscribe", "detail": "tiny"}))
        (error,) = await take(ws, 1)
        assert error["error"]["details"].startswith("detail: 'tiny'")


@pytest.mark.parametrize("resume", [True, False])
async def test_the_python_client_holds_a_map_and_looks_at_a_pod_of_it(*, resume: bool) -> None:
    async with serving() as server, Client(server.ws, detail="map", resume=resume) as client:
        async for message in client.messages():
            if message["type"] == "map_names":
                await client.look([1])
            if message["type"] == "looked":
                break
        assert [pod["name"] for pod in client.state.pods.values()] == ["p1"]
        assert client.state.map is not None
        assert client.state.map.looked[1]["uid"] == "uid-default-p1"
        assert client.state.pod_count("default") == 1
