"""Resumes of those who watch by labels: from memory, which has to be gone through for each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.view import caught_up
from kstream.core.timeline.events import Verb, WatchEvent
from kstream.delivery.hub import Hub
from kstream.delivery.member import Member
from kstream.web import resuming
from kstream.web.resuming import Missed, Resumes
from tests.delivery.sockets import FakeSocket
from tests.making import START, labelled, numbered, pod_key
from tests.web.test_resuming import resumes, token

WEB = Filter.parse(labels="app=web")


@asynccontextmanager
async def remembering(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Resumes, Hub, list[int]]]:
    """A timeline of which memory holds the last hundred events; for each time that they are gone through, how many."""
    gone_through: list[int] = []

    def counted(records: Any, watched: Filter, **given: Any) -> tuple[bytes, ...]:
        gone_through.append(len(records))
        return caught_up(records, watched, **given)

    monkeypatch.setattr(resuming, "caught_up", counted)
    async with resumes() as (at, _, hub):
        publish_web(hub, 100)
        yield at, hub, gone_through


def publish_web(hub: Hub, count: int) -> None:
    names = [f"w{hub.state.seq + number}" for number in range(count)]
    facts = [
        WatchEvent(Verb.ADDED, pod_key(name), "1", START, labelled(name, {"app": "web"})) for name in names
    ]
    hub.publish(numbered(facts, hub.state.seq))


async def test_a_herd_that_watches_by_labels_shares_what_memory_is_gone_through_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with remembering(monkeypatch) as (at, hub, gone_through):
        herd, sockets = list[Member](), list[FakeSocket]()
        for number in range(10):
            async with at.turn(token(120_010), WEB) as held:
                assert await at.look(token(120_010), WEB) == ((), None)
                missed = await at.encode(token(120_010), (), WEB, 0, held)
                sockets.append(FakeSocket())
                herd.append(hub.join(sockets[-1], WEB, window_bits=0, resumed=True))
                at.give(herd[-1], missed)
            if number == 4:
                publish_web(hub, 3)
        for member in herd:
            hub.serve(member)
        assert gone_through == [90]
        for socket in sockets:
            told = [
                event
                for message in socket.messages()[1:]
                for event in (message["data"] if message["type"] == "batch" else [message])
            ]
            assert [event["seq"] for event in told] == list(range(120_011, 120_104))
        for member in herd:
            hub.leave(member)
        async with at.turn(token(120_010), WEB) as held:
            await at.encode(token(120_010), (), WEB, 0, held)
        assert gone_through == [90, 93], "nobody has kept what came since"


async def test_one_that_watches_by_labels_waits_for_its_turn_and_for_others_to_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with remembering(monkeypatch) as (at, hub, _), AsyncExitStack() as held:
        for _ in range(4):
            await held.enter_async_context(at.turn(token(120_010), WEB))
        for free in (token(120_100), None):
            async with at.turn(free, WEB):
                pass
        fifth = asyncio.create_task(at.turn(token(120_010), WEB).__aenter__())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not fifth.done()
        fifth.cancel()
        for _ in range(2):
            at.give(hub.join(FakeSocket(), WEB, window_bits=0), Missed(120_100, (b"x" * 2**25, b"x")))
        assert await at.look(token(120_010), WEB) == (
            (),
            "too many clients are catching up at once: the state is shared by all of them",
        )
        assert (await at.look(token(120_100), WEB), await at.look(token(120_010), EVERYTHING)) == (
            ((), None),
            ((), None),
        )


async def test_frames_that_many_share_wait_for_sockets_once() -> None:
    async with resumes() as (at, _, hub):
        shared = Missed(120_000, (b"x" * 2**25,))
        for _ in range(10):
            at.give(hub.join(FakeSocket(), EVERYTHING, window_bits=0, resumed=True), shared)
        assert (await at.look(token(119_999), EVERYTHING))[1] is None
