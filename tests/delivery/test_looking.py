"""Looking at pods of a map: what is answered, and what is told from then on (PROTOCOL 33)."""

from __future__ import annotations

import json
from typing import Any

from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.timeline.events import Event, Verb
from tests.delivery.sockets import join, publish, types
from tests.hubs import running
from tests.making import change, numbered, pod_key

MAP = Filter.parse(detail="map")
LOOK = b'{"type":"look","pods":[1,9],"id":"l"}'


def added(count: int) -> list[Event]:
    return numbered([change(Verb.ADDED, pod_key(f"p{number}")) for number in range(count)])


async def test_a_pod_that_is_looked_at_is_told_whole_and_the_others_thin() -> None:
    async with running() as (hub, clock):
        hub.publish(added(2))
        socket, member = await join(hub, clock, MAP)
        socket.messages()
        hub.receive(member, LOOK)
        (looked,) = socket.messages()
        assert (looked["id"], looked["seq"], looked["gone"]) == ("l", 2, [9])
        assert [(each["number"], each["data"]["uid"]) for each in looked["pods"]] == [(1, "uid-default-p0")]
        await publish(hub, *numbered([change(Verb.MODIFIED, pod_key(f"p{n}"), note="n") for n in (0, 1)], 2))
        assert types(socket.messages()) == ["pod_event", "map_event"]
        hub.receive(member, b'{"type":"look","pods":[]}')
        await publish(hub, *numbered([change(Verb.MODIFIED, pod_key("p0"))], 4))
        assert types(socket.messages()) == ["looked", "map_event"]
        assert member.session.view.filter == MAP, "it is told what all others are"


async def test_who_has_no_map_is_told_how_to_get_one() -> None:
    async with running() as (hub, clock):
        socket, member = await join(hub, clock, EVERYTHING)
        socket.messages()
        hub.receive(member, LOOK)
        (error,) = socket.messages()
        assert error["error"]["code"] == "INVALID_MESSAGE"
        assert error["error"]["details"].startswith("pods:")


async def test_at_most_200_are_looked_at() -> None:
    async with running() as (hub, clock):
        socket, member = await join(hub, clock, MAP)
        socket.messages()
        told: list[dict[str, Any]] = []
        for count in (200, 201):
            hub.receive(member, json.dumps({"type": "look", "pods": list(range(count))}).encode())
            told += socket.messages()
        assert types(told) == ["looked", "error"]


async def test_what_is_too_large_together_is_refused_in_words() -> None:
    async with running() as (hub, clock):
        pods = [change(Verb.ADDED, pod_key(f"p{n}"), note="x" * 4_000_000) for n in range(3)]
        hub.publish(numbered(pods))
        socket, member = await join(hub, clock, MAP)
        socket.messages()
        hub.receive(member, b'{"type":"look","pods":[1,2,3]}')
        (error,) = socket.messages()
        assert "fewer" in error["error"]["details"]
