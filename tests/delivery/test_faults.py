"""What is wrong is told to who is there and who comes, and taken back (PROTOCOL 3, 8, 29)."""

from __future__ import annotations

from typing import Any

from kstream.core.delivery.filters import EVERYTHING
from kstream.core.timeline.health import Cleared, ErrorCode, Fault, Lost, Synced
from tests.delivery.sockets import FakeSocket, join, types
from tests.hubs import running
from tests.making import START

FULL = Fault(ErrorCode.WATCH_ERROR, "The event log is full", "no room", "log", stale=True)
DENIED = Fault(ErrorCode.PERMISSION_DENIED, "no", "list pods", "permission:list:pods")


def told(messages: list[dict[str, Any]]) -> list[str]:
    """What is said of faults, and how the source is."""
    words = []
    for message in messages:
        match message["type"]:
            case "error":
                words.append(f"error {message['error'].get('fault')}")
            case "cleared":
                words.append(f"cleared {message['fault']}")
            case "connection":
                words.append(message["status"])
    return words


async def test_what_lasts_is_told_to_who_is_there_and_who_comes_and_taken_back_from_both() -> None:
    async with running() as (hub, clock):
        early, _ = await join(hub, clock)
        hub.report(DENIED)
        hub.report(FULL)
        late, _ = await join(hub, clock)
        assert told(early.messages()) == [
            "connected",
            "error permission:list:pods",
            "error log",
            "reconnecting",
        ]
        assert told(late.messages()) == [
            "connected",
            "reconnecting",
            "error permission:list:pods",
            "error log",
        ]
        hub.report(Cleared("log"))
        hub.report(Cleared("log"))
        await clock.advance(0)
        for socket in (early, late):
            assert told(socket.messages()) == ["cleared log", "connected"]
        hub.report(Cleared("permission:list:pods"))
        await clock.advance(0)
        assert told(late.messages()) == ["cleared permission:list:pods"]
        last, _ = await join(hub, clock)
        assert told(last.messages()) == ["connected"]


async def test_a_moment_is_told_once_to_who_is_there() -> None:
    async with running() as (hub, clock):
        early, _ = await join(hub, clock)
        hub.report(Fault(ErrorCode.WATCH_ERROR, "a list repairs it"))
        late, _ = await join(hub, clock)
        assert told(early.messages()) == ["connected", "error None"]
        assert told(late.messages()) == ["connected"]
        assert hub.health.faults == {}


async def test_one_is_connected_again_when_all_that_made_it_stale_is_over() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        for report in (Lost(), FULL, Synced(), Cleared("log")):
            hub.report(report)
        await clock.advance(0)
        assert told(socket.messages()) == [
            "connected",
            "reconnecting",
            "error log",
            "cleared log",
            "connected",
        ]


async def test_a_fault_before_the_first_state_calls_nobody_connected_who_resumed() -> None:
    async with running(synced=False) as (hub, clock):
        socket = FakeSocket()
        member = hub.join(socket, EVERYTHING, window_bits=0, resumed=True)
        hub.serve(member)
        assert told(socket.messages()) == ["connected", "reconnecting"]
        hub.report(DENIED)
        await clock.advance(0)
        assert told(socket.messages()) == ["error permission:list:pods"]
        hub.report(Synced())
        await clock.advance(0)
        assert told(socket.messages()) == ["connected"]


async def test_after_a_jump_nothing_is_known_of_how_old_the_state_is() -> None:
    mark: list[tuple[float, int] | None] = [(START, 0)]
    async with running(watermark=lambda: mark[0]) as (hub, clock):
        socket, _ = await join(hub, clock)
        assert hub.as_of == START
        mark[0] = None
        assert hub.as_of == START
        hub.jump(hub.state)
        assert [hub.as_of] == [None]
        await clock.advance(10.0)
        assert "asOf" not in next(m for m in socket.messages() if m["type"] == "metrics")
        assert types(socket.messages()) == []
