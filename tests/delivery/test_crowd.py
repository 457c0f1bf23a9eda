"""Those who have got the same ride together, and whoever needs something else steps out."""

from __future__ import annotations

from kstream.core.delivery.filters import EVERYTHING
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.health import Lost
from tests.delivery.sockets import RealSocket, join, publish, types
from tests.hubs import running
from tests.making import change, numbered, pod_key


async def test_metrics_and_what_else_everyone_is_told_leaves_those_in_lock_step_together() -> None:
    async with running() as (hub, clock):
        sockets = [(await join(hub, clock))[0] for _ in range(40)]
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        lanes = {member.session.lane for member in hub}
        assert len(lanes) == 1
        before = [socket.writes for socket in sockets]
        await clock.advance(10.0)
        assert [socket.writes - had for socket, had in zip(sockets, before, strict=True)] == [1] * 40
        assert {member.session.lane for member in hub} == lanes
        hub.report(Lost())
        await clock.advance(0)
        assert [types(socket.messages())[-2:] for socket in sockets] == [["metrics", "connection"]] * 40
        assert len({member.session.lane for member in hub}) == 1


async def test_those_in_lock_step_are_written_to_directly_and_leave_the_lane_when_they_ping() -> None:
    async with running() as (hub, clock):
        sockets = [RealSocket() for _ in range(3)]
        members = [hub.join(outlet, EVERYTHING, window_bits=0) for outlet in sockets]
        for member in members:
            hub.serve(member)
        await clock.advance(1)
        for outlet in sockets:
            assert types(outlet.messages()) == ["connection", "initial_state"]
        before = [outlet.writes for outlet in sockets]
        await publish(hub, Event(1, change(Verb.ADDED, pod_key("a"))))
        assert [outlet.writes for outlet in sockets] == before, "nothing went through the transport"
        assert all(member.session.lane is members[0].session.lane for member in members)
        hub.receive(members[0], '{"type":"ping","timestamp":"t"}')
        assert members[0].session.lane is not members[1].session.lane
        await publish(hub, Event(2, change(Verb.ADDED, pod_key("b"))))
        hub.leave(members[1])
        await publish(hub, Event(3, change(Verb.ADDED, pod_key("c"))))
        seen = [outlet.received() for outlet in sockets]
    assert sorted(message.get("seq", 0) for message in seen[0]) == [0, 1, 2, 3]
    assert [message["seq"] for message in seen[1]] == [1, 2]
    assert [message["seq"] for message in seen[2]] == [1, 2, 3]


async def test_one_of_a_lane_whose_socket_is_full_falls_behind_alone() -> None:
    async with running() as (hub, clock):
        full, fast = RealSocket(), RealSocket()
        for outlet in (full, fast):
            hub.serve(hub.join(outlet, EVERYTHING, window_bits=0))
        await clock.advance(1)
        assert types(full.messages()) == types(fast.messages()) == ["connection", "initial_state"]
        full.room = 0
        count = 0
        while not full.pending():
            count += 1
            await publish(hub, Event(count, change(Verb.ADDED, pod_key(f"p{count}"), note="x" * 2000)))
            assert fast.received()
            await clock.advance(1)
        held = full.pending()
        for _ in range(20):
            count += 1
            await publish(hub, Event(count, change(Verb.ADDED, pod_key(f"p{count}"), note="x" * 2000)))
            await clock.advance(0.5)
        assert full.pending() == held
        assert types(fast.received()).count("pod_event") == 20
        first = full.received()
        full.room = None
        full.read(0)
        await clock.advance(1)
        rest = full.received()
        names = [
            event["data"]["name"]
            for message in first + rest
            for event in (message["data"] if message["type"] == "batch" else [message])
            if message["type"] != "metrics"
        ]
    assert names == [f"p{n}" for n in range(1, count + 1)]
