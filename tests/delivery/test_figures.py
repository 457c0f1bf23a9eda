"""`metrics`: for whom, when, and of what."""

from __future__ import annotations

import pytest

from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.health import Synced
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.timepoint import timestamp
from tests.delivery.sockets import FakeSocket, join, publish, types
from tests.hubs import running
from tests.making import START, change, numbered, pod_key


async def test_metrics_come_at_their_interval_whatever_the_filter() -> None:
    async with running() as (hub, clock):
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p", "elsewhere"))]))
        socket, _ = await join(hub, clock, Filter(frozenset({"none"})))
        socket.messages()
        await clock.advance(25.0)
        messages = socket.messages()
    assert types(messages) == ["metrics", "metrics"]
    assert messages[0]["data"]["totalPods"] == 1


async def test_who_lacks_an_event_is_complete_up_to_what_was_known_when_it_came() -> None:
    mark: list[tuple[float, int] | None] = [(START + 3.0, 0)]
    async with running(watermark=lambda: mark[0]) as (hub, clock):
        _, member = await join(hub, clock)
        assert hub.as_of == START + 3.0
        await clock.advance(4.0)
        await publish(hub, Event(1, change(Verb.ADDED, pod_key("p"))))
        mark[0] = (START + 9.0, 1)
        view = member.session.view
        assert [view.complete_until(seq, hub.as_of) for seq in (0, 1)] == [START + 3.0, START + 9.0]


async def test_after_a_jump_the_metrics_are_those_of_the_other_state() -> None:
    async with running() as (hub, clock):
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("old"))]))
        socket, _ = await join(hub, clock)
        there = ClusterState()
        for event in numbered([change(Verb.ADDED, pod_key(n)) for n in ("a", "b", "c")]):
            there.apply(event)
        hub.jump(there)
        await clock.advance(9.9)
        assert "metrics" not in types(socket.messages())
        await clock.advance(0.1)
        (metrics,) = socket.messages()
        assert metrics["data"]["totalPods"] == 3
        assert hub.state is there


async def test_metrics_are_for_those_only_who_have_a_state() -> None:
    async with running(synced=False) as (hub, clock):
        waits, _ = await join(hub, clock)
        resumed = FakeSocket()
        hub.serve(hub.join(resumed, EVERYTHING, window_bits=0, resumed=True))
        await clock.advance(10)
        assert types(waits.messages()) == ["connection"]
        assert types(resumed.messages()) == ["connection", "connection"]
        hub.report(Synced())
        await clock.advance(10)
        assert types(waits.messages()) == ["connection", "initial_state", "metrics"]


async def test_one_who_does_not_read_gets_the_newest_metrics_when_it_does() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        socket.messages()
        socket.room = 0
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        await clock.advance(25)
        socket.room = None
        socket.read(0)
        await clock.advance(1)
        told = socket.messages()
        assert [message["type"] for message in told] == ["pod_event", "metrics"]
        assert told[1]["data"]["totalPods"] == 1


async def test_one_who_resumed_before_there_is_a_state_is_sent_no_metrics_of_none() -> None:
    async with running(synced=False) as (hub, clock):
        socket = FakeSocket()
        member = hub.join(socket, EVERYTHING, window_bits=0, resumed=True)
        member.session.catch_up(0)
        hub.serve(member)
        await clock.advance(11.0)
        assert types(socket.messages()) == ["connection", "connection"]


@pytest.mark.parametrize(("seq", "said"), [(0, 5.0), (1, 5.0), (2, 3.0)])
async def test_metrics_say_up_to_when_the_state_is_complete_and_never_newer(seq: int, said: float) -> None:
    mark: list[tuple[float, int] | None] = [None]
    async with running(watermark=lambda: mark[0]) as (hub, clock):
        assert [hub.as_of] == [None]
        socket, _ = await join(hub, clock)
        mark[0] = (START + 3.0, 0)
        assert hub.as_of == START + 3.0
        await publish(hub, Event(1, change(Verb.ADDED, pod_key("p"))))
        socket.messages()
        mark[0] = (START + 5.0, seq)  # with seq 2 the log is ahead of the hub
        await clock.advance(10.0)
        (metrics,) = socket.messages()
        assert (metrics["type"], metrics["asOf"]) == ("metrics", timestamp(START + said))
