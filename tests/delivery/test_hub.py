"""What reaches the clients of a timeline, and when."""

from __future__ import annotations

import json

import pytest

from kstream.core.delivery.filters import Filter
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.state import ClusterState
from tests.delivery.sockets import SlowClock, join, publish, types
from tests.hubs import running
from tests.making import START, change, node_key, numbered, pod_key


async def test_a_client_gets_connection_then_the_state_then_events() -> None:
    async with running() as (hub, clock):
        await publish(hub, *numbered([change(Verb.ADDED, node_key("n1"))]))
        socket, _ = await join(hub, clock)
        await publish(hub, Event(2, change(Verb.ADDED, pod_key("p"))))
        first, state, event = socket.messages()
    assert first["type"] == "connection"
    assert first["status"] == "connected"
    assert first["cluster"] == {"name": "test", "version": "v1.36.0"}
    assert (first["epoch"], first["source"], first["resumed"]) == ("epoch-1", "live", False)
    assert (state["type"], state["seq"]) == ("initial_state", 1)
    assert [node["name"] for node in state["data"]["nodes"]] == ["n1"]
    assert (event["type"], event["seq"]) == ("pod_event", 2)


async def test_metrics_come_at_their_interval_whatever_the_filter() -> None:
    async with running() as (hub, clock):
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p", "elsewhere"))]))
        socket, _ = await join(hub, clock, Filter(frozenset({"none"})))
        socket.messages()
        await clock.advance(25.0)
        messages = socket.messages()
    assert types(messages) == ["metrics", "metrics"]
    assert messages[0]["data"]["totalPods"] == 1


async def test_all_that_a_client_is_due_is_one_write() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        before = socket.writes
        await publish(hub, *numbered([change(Verb.ADDED, pod_key(f"p{n}")) for n in range(32)]))
        assert socket.writes == before + 1


async def test_a_filter_costs_nothing_for_what_it_does_not_show() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock, Filter(frozenset({"shop"})))
        socket.messages()
        before = socket.writes
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p", "bank"))]))
        assert socket.writes == before
        await publish(hub, Event(2, change(Verb.ADDED, pod_key("p", "shop"))))
        assert [message["seq"] for message in socket.messages()] == [2]


async def test_a_new_filter_is_followed_by_a_new_state() -> None:
    async with running() as (hub, clock):
        await publish(hub, *numbered([change(Verb.ADDED, pod_key(n, n)) for n in ("a", "b")]))
        socket, member = await join(hub, clock)
        socket.messages()
        hub.receive(member, '{"type":"subscribe","namespaces":["b"]}')
        await clock.advance(0)
        (state,) = socket.messages()
        assert [pod["name"] for pod in state["data"]["pods"]] == ["b"]
        await publish(hub, Event(3, change(Verb.MODIFIED, pod_key("a", "a"), note="x")))
        assert socket.messages() == []


async def test_after_a_jump_everyone_gets_the_other_state() -> None:
    async with running() as (hub, clock):
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("old"))]))
        socket, _ = await join(hub, clock)
        socket.messages()
        there = ClusterState()
        for event in numbered([change(Verb.ADDED, pod_key(n)) for n in ("a", "b", "c")]):
            there.apply(event)
        hub.jump(there)
        await clock.advance(0)
        (state,) = socket.messages()
        assert (state["seq"], len(state["data"]["pods"])) == (3, 3)
        await publish(hub, Event(4, change(Verb.ADDED, pod_key("d"))))
        assert [message["seq"] for message in socket.messages()] == [4]


async def test_who_left_is_forgotten() -> None:
    async with running() as (hub, clock):
        socket, member = await join(hub, clock)
        hub.leave(member)
        socket.messages()
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        await clock.advance(100)
        assert (len(hub), socket.messages()) == (0, [])


@pytest.mark.parametrize("rate", [50, 400])
async def test_under_heavy_churn_the_limits_hold_and_the_state_is_right(rate: int) -> None:
    async with running() as (hub, clock):
        socket, member = await join(hub, clock)
        stamps: list[float] = []
        latest: dict[str, str] = {}
        seq = 0
        for _ in range(70 * 20):
            await clock.advance(0.05)
            batch = []
            for _ in range(rate // 20):
                seq += 1
                known = f"p{seq % 10}" in latest
                verb = Verb.MODIFIED if known else Verb.ADDED
                latest[f"p{seq % 10}"] = str(seq)
                batch.append(Event(seq, change(verb, pod_key(f"p{seq % 10}"), note=str(seq))))
            await publish(hub, *batch)
            hub.pong(member)
            stamps += [clock.time()] * len(found := socket.messages())
            for message in found:
                if message["type"] == "batch":
                    last = message
        await clock.advance(1)
        for message in socket.messages():
            last = message if message["type"] == "batch" else last
        assert {item["data"]["name"]: item["data"]["note"] for item in last["data"]}.items() <= latest.items()
        assert max(sum(1 for at in stamps if start <= at < start + 60) for start in set(stamps)) <= 1000
        assert max(stamps.count(at) for at in set(stamps)) <= 50
        assert json.loads(json.dumps(last))["seq"] == seq


async def test_a_strained_process_sends_fewer_and_larger_and_everything() -> None:
    clock = SlowClock(START)
    async with running(clock=clock) as (hub, _):
        sockets = [(await join(hub, clock))[0] for _ in range(3)]
        for outlet in sockets:
            outlet.messages()
        clock.step = 0.05
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("first"))]))
        clock.step = 0.0
        before = [outlet.writes for outlet in sockets]
        for seq in range(2, 20):
            await publish(hub, Event(seq, change(Verb.ADDED, pod_key(f"p{seq}"))))
        assert [outlet.writes for outlet in sockets] == before, "it waits"
        await clock.advance(0.3)
        assert [outlet.writes - was for outlet, was in zip(sockets, before, strict=True)] == [1, 1, 1]
        for outlet in sockets:
            assert [message["seq"] for message in outlet.messages()] == list(range(1, 20))
