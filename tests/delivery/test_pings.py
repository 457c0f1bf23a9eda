"""Pings of the connection: they are answered as messages are, and count as they do."""

from __future__ import annotations

from kstream.core.delivery.frames import pong_frame
from tests.delivery.sockets import join, types
from tests.hubs import running


async def test_who_pings_too_often_is_told_so_and_to_wait() -> None:
    async with running() as (hub, clock):
        outlet, member = await join(hub, clock)
        outlet.messages()
        rests = [hub.ping(member, b"beat") for _ in range(52)]
        assert rests[:50] == [0.0] * 50
        assert min(rests[50:]) > 0.0
        assert outlet.taken.count(pong_frame(b"beat")) == 50
        outlet.taken = outlet.taken.replace(pong_frame(b"beat"), b"")
        assert types(outlet.messages()) == ["error"], "at once, and once a second"


async def test_who_says_too_much_is_told_to_wait() -> None:
    async with running() as (hub, clock):
        _, member = await join(hub, clock)
        rests = [hub.receive(member, b'{"type":"ping"}') for _ in range(51)]
    assert rests[:50] == [0.0] * 50
    assert rests[50] > 0.0
