"""Those who have got the same ride together, and whoever needs something else steps out."""

from __future__ import annotations

import pytest

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.health import Lost
from kstream.delivery.crowd import PARTY, Crowd
from kstream.delivery.member import Member
from tests.delivery.riders import rider
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
        hub.receive(members[0], b'{"type":"ping","timestamp":"t"}')
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


async def test_one_who_stepped_out_rides_with_the_others_again_when_it_is_like_them() -> None:
    async with running() as (hub, clock):
        outlet, member = await join(hub, clock)
        await join(hub, clock)
        lanes = []
        for seq, pause in ((1, 0.0), (2, 10.0)):
            hub.receive(member, b'{"type":"ping"}')
            assert types(outlet.messages())[-1] == "pong"
            await clock.advance(pause)
            await publish(hub, Event(seq, change(Verb.ADDED, pod_key(f"p{seq}"))))
            lanes.append(len({member.session.lane for member in hub}))
        assert lanes == [2, 1], "with the tokens that a pong takes it is another than they are"


async def test_what_a_client_says_too_often_is_dropped_and_it_rides_on() -> None:
    async with running() as (hub, clock):
        outlet, member = await join(hub, clock)
        for _ in range(51):
            hub.receive(member, b'{"type":"subscribe","namespaces":["b"]}')
        await clock.advance(0)
        assert types(outlet.messages()) == ["connection", "initial_state", "error", "initial_state"]
        crowd = hub._crowds[Filter(frozenset({"b"}))]
        assert list(crowd.parties) == [member.session.lane]
        hub.receive(member, b'{"type":"ping"}')
        assert (list(crowd.parties), member.session.riding) == ([member.session.lane], True)
        assert hub.tally.refused == 2
        await publish(hub, Event(1, change(Verb.ADDED, pod_key("p", "b"))))
        assert types(outlet.messages()) == ["pod_event"]


async def test_who_is_told_something_and_rode_with_others_gets_what_is_published_meanwhile_once() -> None:
    async with running() as (hub, clock):
        sockets = [(await join(hub, clock))[0] for _ in range(2)]
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        for socket in sockets:
            socket.messages()
        hub.report(Lost())
        await publish(hub, Event(2, change(Verb.ADDED, pod_key("q"))))
        await clock.advance(0)
        for socket in sockets:
            assert types(socket.messages()) == ["connection", "pod_event"]


def crowd_of(*members: Member) -> Crowd:
    crowd = Crowd()
    for member in members:
        crowd.add(member)
        crowd.step_in(member, 0.0)
    return crowd


def sizes(crowd: Crowd) -> list[int]:
    assert all(lane is party.lane for lane, party in crowd.parties.items())
    return [len(party.members) for party in crowd.parties.values()]


def test_a_crowd_is_all_who_are_in_it_alone_or_in_company() -> None:
    backlog = Backlog(head=0)
    rides, walks = rider(backlog), rider(backlog)
    crowd = crowd_of(rides)
    crowd.add(walks)
    assert (len(crowd), list(crowd), list(crowd.alone)) == (2, [walks, rides], [walks])
    assert rides.session.riding
    assert crowd.parties[rides.session.lane].members == {rides: -1}
    assert crowd.parties[rides.session.lane].scheduled == float("inf")
    for member in (rides, walks):
        crowd.remove(member)
    assert (len(crowd), list(crowd), crowd.parties) == (0, [], {})


def test_those_who_are_alike_ride_in_one_lane_until_it_is_full() -> None:
    backlog = Backlog(head=0)
    members = [rider(backlog) for _ in range(PARTY + 1)]
    crowd = crowd_of(*members)
    assert (PARTY, sizes(crowd)) == (512, [512, 1])
    lane = members[0].session.lane
    assert (lane.riders, members[511].session.lane is lane, members[512].session.lane is lane) == (
        512,
        True,
        False,
    )
    assert not crowd.alone


@pytest.mark.parametrize(("others", "joins"), [(7, True), (8, False)])
def test_who_steps_in_looks_at_the_newest_eight_lanes(others: int, joins: bool) -> None:
    backlog = Backlog(head=0)
    first, *rest = [rider(backlog, spent=spent) for spent in range(0, 2 * others + 1, 2)]
    crowd = crowd_of(first, *rest)
    assert sizes(crowd) == [1] * (others + 1)
    late = rider(backlog)
    crowd.add(late)
    crowd.step_in(late, 0.0)
    assert (late.session.lane is first.session.lane) is joins
    assert len(crowd.parties) == others + (1 if joins else 2)


def test_who_steps_out_is_alone_and_an_empty_lane_is_forgotten() -> None:
    backlog = Backlog(head=0)
    one, other = rider(backlog), rider(backlog)
    crowd = crowd_of(one, other)
    for member, left in ((one, [1]), (other, [])):
        member.session.step_out()
        crowd.stepped_out(member)
        crowd.stepped_out(member)
        assert (sizes(crowd), member in crowd.alone) == (left, True)
    assert list(crowd) == list(crowd.alone) == [one, other]


def test_lanes_that_have_become_alike_are_joined_twenty_times_a_second() -> None:
    backlog = Backlog(head=0)
    fresh, spent = rider(backlog), rider(backlog, spent=2)
    crowd = crowd_of(fresh, spent)
    crowd.merge(0.0)
    assert sizes(crowd) == [1, 1], "two tokens apart: they are not alike yet"
    spent.session.lane.bucket = fresh.session.lane.bucket.copy()
    crowd.merge(0.04)
    assert sizes(crowd) == [1, 1]
    crowd.merge(0.05)
    assert sizes(crowd) == [2]
    lane = fresh.session.lane
    assert (spent.session.lane is lane, lane.riders, list(crowd.parties)) == (True, 2, [lane])
    spent.session.step_out()
    crowd.stepped_out(spent)
    assert (sizes(crowd), list(crowd.alone)) == ([1], [spent])


def test_a_lane_alone_has_no_one_to_join_and_puts_off_nothing() -> None:
    backlog = Backlog(head=0)
    fresh, spent = rider(backlog), rider(backlog, spent=2)
    crowd = crowd_of(fresh)
    crowd.merge(0.0)
    crowd.add(spent)
    crowd.step_in(spent, 0.0)
    spent.session.lane.bucket = fresh.session.lane.bucket.copy()
    crowd.merge(0.04)
    assert sizes(crowd) == [2]


def test_lanes_are_joined_in_a_row_and_what_is_left_of_one_is_empty() -> None:
    backlog = Backlog(head=0)
    members = [rider(backlog, spent=spent) for spent in (0, 2, 4, 6)]
    crowd = crowd_of(*members)
    parties = list(crowd.parties.values())
    for at, like in ((1, 0), (3, 2)):
        members[at].session.lane.bucket = members[like].session.lane.bucket.copy()
    crowd.merge(0.0)
    assert sizes(crowd) == [2, 2]
    assert sorted(len(party.members) for party in parties) == [0, 0, 2, 2], "whoever holds one finds nobody"
    assert members[0].session.lane is members[1].session.lane
    assert members[2].session.lane is members[3].session.lane


@pytest.mark.parametrize(("more", "expected"), [(12, [512]), (13, [500, 13])])
def test_no_more_are_joined_than_a_lane_may_hold(more: int, expected: list[int]) -> None:
    backlog = Backlog(head=0)
    many = [rider(backlog) for _ in range(500)]
    few = [rider(backlog, spent=2) for _ in range(more)]
    crowd = crowd_of(*many, *few)
    few[0].session.lane.bucket = many[0].session.lane.bucket.copy()
    crowd.merge(0.0)
    assert sorted(sizes(crowd), reverse=True) == expected
    assert len(crowd) == 500 + more
