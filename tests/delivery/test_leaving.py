"""Those who go, and those who are sent away: nothing goes out to them any more, and nothing of them is left."""

from __future__ import annotations

from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.session import Close
from kstream.core.timeline.events import Event, Verb
from kstream.delivery.hub import Hub
from tests.delivery.sockets import FakeSocket, join, publish
from tests.hubs import running
from tests.making import change, numbered, pod_key


async def test_who_left_is_forgotten() -> None:
    async with running() as (hub, clock):
        socket, member = await join(hub, clock)
        hub.leave(member)
        socket.messages()
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        await clock.advance(100)
        assert (len(hub), socket.messages()) == (0, [])


def left_over(hub: Hub) -> dict[str, object]:
    """What a hub still holds of clients, but for what it holds for those who come."""
    held = [made for made in (*hub._snapshots._held, *hub._snapshots._ready.values()) if made.members]
    return {
        name: what
        for name, what in {
            "clients": list(hub),
            "crowds": hub._crowds,
            "due": hub._dirty,
            "slow": hub.slow,
            "views": hub.backlog._views,
            "readers of states": held,
            "waiting for a state": [members for members in hub._snapshots._waiting.values() if members],
        }.items()
        if what
    }


async def test_of_those_who_left_nothing_is_left() -> None:
    async with running() as (hub, clock):
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p", "a"))]))
        narrow = Filter(frozenset({"a"}))
        members = [(await join(hub, clock, watched))[1] for watched in [EVERYTHING] * 3 + [narrow] * 2]
        full, member = await join(hub, clock)
        members += [member, hub.join(FakeSocket(), narrow, window_bits=0)]
        full.room = 0
        await publish(hub, Event(2, change(Verb.MODIFIED, pod_key("p", "a"), note="x")))
        assert (len(hub.slow), len(hub)) == (1, 7)
        hub.receive(members[0], b'{"type":"subscribe","namespaces":["b"]}')
        hub.publish([Event(3, change(Verb.MODIFIED, pod_key("p", "a"), note="y"))])  # and no flush
        for member in members:
            hub.leave(member)
            hub.leave(member)
            assert hub.receive(member, b'{"type":"subscribe","namespaces":["c"]}') == 0.0
            assert hub.ping(member, b"beat") == 0.0
        assert left_over(hub) == {}
        assert all(member.closed and member.gone for member in members)
        assert full.closed is None, "it went by itself"
        await hub.flush()
        await clock.advance(100)
        assert left_over(hub) == {}


async def test_of_hundreds_who_come_and_go_within_a_heartbeat_few_are_kept_to_be_looked_at() -> None:
    async with running() as (hub, clock):
        for _ in range(300):
            _, member = await join(hub, clock)
            hub.leave(member)
        assert len(hub._alarm._timers) < 100
        await clock.advance(100)
        assert len(hub._alarm._timers) == 0


async def test_everyone_is_closed_when_the_server_goes_and_gets_nothing_behind_that() -> None:
    async with running() as (hub, clock):
        rides, alone, full = [await join(hub, clock) for _ in range(3)]
        full[0].room = 0
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        hub.receive(alone[1], b"nonsense")
        close = Close(1001, "the server is stopping")
        hub.close_all(close)
        sockets = [outlet for outlet, _ in (rides, alone, full)]
        assert [outlet.closed for outlet in sockets] == [close] * 3
        assert not any(member.session.riding for member in hub), "nobody is counted in a lane"
        assert len(hub.slow) == 0
        before = [outlet.writes for outlet in sockets]
        full[0].room = None
        await publish(hub, Event(2, change(Verb.ADDED, pod_key("q"))))
        hub.ping(rides[1], b"beat")
        await clock.advance(100)
        assert [outlet.writes for outlet in sockets] == before
        for _, member in (rides, alone, full):
            hub.leave(member)
        assert left_over(hub) == {}
