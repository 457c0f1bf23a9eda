"""What reaches the clients of a timeline, and when."""

from __future__ import annotations

import asyncio
import json

import pytest

from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.frames import pong_frame
from kstream.core.delivery.session import Close
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.state import ClusterState
from tests.delivery.sockets import FakeSocket, SlowClock, join, publish, types
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
        hub.receive(member, b'{"type":"subscribe","namespaces":["b"]}')
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
            if member.session.asked:
                hub.pong(member)
            stamps += [clock.time()] * len(found := socket.messages())
            for message in found:
                if message["type"] == "batch":
                    last = message
        await clock.advance(1)
        for message in socket.messages():
            last = message if message["type"] == "batch" else last
        assert {
            item["data"]["name"]: item["data"]["nodeName"] for item in last["data"]
        }.items() <= latest.items()
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


async def test_a_large_batch_reaches_each_of_those_in_a_lane_whole() -> None:
    async with running() as (hub, clock):
        sockets = [(await join(hub, clock))[0] for _ in range(2)]
        for outlet in sockets:
            outlet.messages()
        counted = hub.tally.sent_bytes
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("small"))]))
        assert len({member.session.lane for member in hub}) == 1
        note = "x" * 450_000
        sent = [change(Verb.ADDED, pod_key(f"p{n}"), note=note) for n in range(60)]
        await publish(hub, *numbered(sent, 1))
        await clock.advance(1)
        assert hub.tally.sent_bytes - counted == sum(len(outlet.taken) for outlet in sockets)
        for outlet in sockets:
            first, *parts = outlet.messages()
            assert (first["seq"], types(parts)) == (1, ["batch"] * 3)
            assert [part.get("seq") for part in parts] == [None, None, 61]
            names = [event["data"]["name"] for part in parts for event in part["data"]]
            assert names == [f"p{n}" for n in range(60)]


async def test_every_byte_that_sockets_are_given_is_counted() -> None:
    async with running() as (hub, clock):
        sockets = []
        for _ in range(3):
            outlet, member = await join(hub, clock)
            sockets.append(outlet)
        for seq in range(1, 80):
            await publish(hub, Event(seq, change(Verb.ADDED, pod_key(f"p{seq}"))))
        hub.receive(member, b'{"type":"ping"}')
        await clock.advance(15)
        assert hub.tally.sent_bytes == sum(len(outlet.taken) for outlet in sockets)


async def test_those_in_a_lane_get_what_waits_for_tokens_as_soon_as_there_are_some() -> None:
    async with running() as (hub, clock):
        sockets = [(await join(hub, clock))[0] for _ in range(2)]
        for seq in range(1, 61):
            await publish(hub, Event(seq, change(Verb.ADDED, pod_key(f"p{seq}"))))
        before = [types(outlet.messages()).count("pod_event") for outlet in sockets]
        assert before[0] == before[1] < 50
        await clock.advance(0.1)
        for outlet in sockets:
            (batch,) = outlet.messages()
            assert (batch["type"], batch["seq"], len(batch["data"])) == ("batch", 60, 60 - before[0])


async def test_those_in_a_lane_who_fell_off_the_window_all_get_a_new_state() -> None:
    async with running() as (hub, clock):
        sockets = [(await join(hub, clock))[0] for _ in range(2)]
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        assert len({member.session.lane for member in hub}) == 1
        hub.publish(
            [Event(seq, change(Verb.MODIFIED, pod_key("p"), note=str(seq))) for seq in range(2, 22_100)]
        )
        await hub.flush()
        await clock.advance(0)
        for outlet in sockets:
            messages = outlet.messages()
            assert types(messages) == ["connection", "initial_state", "pod_event", "initial_state"]
            assert messages[-1]["seq"] == 22_099
        assert hub.tally.fell_off == 2


async def test_who_answers_pings_stays() -> None:
    async with running() as (hub, clock):
        answers, member = await join(hub, clock)
        silent, _ = await join(hub, clock)
        await clock.advance(30)
        assert answers.taken.endswith(b"\x89\x00")
        hub.pong(member)
        await clock.advance(10)
        assert (answers.closed, silent.closed) == (None, Close(1011, "no answer to a ping", abort=True))
        await clock.advance(19)
        before = answers.taken.count(b"\x89\x00")
        await clock.advance(2)
        assert (before, answers.taken.count(b"\x89\x00")) == (1, 2), "30 s after the answer"


async def test_an_answer_of_the_connection_goes_out_at_once_and_may_find_the_socket_full() -> None:
    async with running() as (hub, clock):
        outlet, member = await join(hub, clock)
        hub.ping(member, b"beat")
        assert outlet.taken.endswith(pong_frame(b"beat"))
        assert len(hub.slow) == 0
        outlet.room = 0
        hub.ping(member, b"beat")
        assert (len(hub.slow), member.session.riding) == (1, False)
        outlet.room = None
        outlet.read(0)
        await clock.advance(0.02)
        assert len(hub.slow) == 0


async def test_the_lag_of_the_source_is_that_of_the_newest_event() -> None:
    async with running() as (hub, _):
        hub.publish(
            [
                Event(1, change(Verb.ADDED, pod_key("p"), time=START - 9.0)),
                Event(2, change(Verb.ADDED, pod_key("q"), time=START - 2.0)),
            ]
        )
        assert hub.tally.source_lag == 2.0


class CostlySocket(FakeSocket):
    """One that takes `cost` seconds to write to."""

    def __init__(self, clock: SlowClock, cost: float) -> None:
        super().__init__()
        self._clock = clock
        self._cost = cost

    def write(self, data: bytes | memoryview) -> None:
        self._clock.spend(self._cost)
        super().write(data)


async def test_after_a_flush_that_took_long_as_much_time_is_left_for_all_else() -> None:
    clock = SlowClock(START)
    async with running(clock=clock) as (hub, _):
        outlet = CostlySocket(clock, 0.125)
        hub.serve(hub.join(outlet, EVERYTHING, window_bits=0))
        await clock.advance(1)
        outlet.messages()
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        assert (sum(hub.tally.flushes.counts), hub.tally.flushes.total) == (1, 0.125)
        await publish(hub, Event(2, change(Verb.ADDED, pod_key("q"))))
        assert [message["seq"] for message in outlet.messages()] == [1]
        await clock.advance(0.12)
        assert outlet.messages() == []
        await clock.advance(0.005)
        assert [message["seq"] for message in outlet.messages()] == [2]
        assert sum(hub.tally.flushes.counts) == 2


async def test_a_quick_flush_is_followed_by_the_next_at_once() -> None:
    async with running() as (hub, clock):
        outlet, _ = await join(hub, clock)
        outlet.messages()
        for seq in (1, 2, 3):
            await publish(hub, Event(seq, change(Verb.ADDED, pod_key(f"p{seq}"))))
            assert [message["seq"] for message in outlet.messages()] == [seq]
        assert (sum(hub.tally.flushes.counts), hub.tally.flushes.total) == (3, 0.0)


async def test_a_flush_lets_others_run_between_those_who_go_alone() -> None:
    clock = SlowClock(START)
    async with running(clock=clock, synced=False) as (hub, _):
        for _ in range(100):
            await join(hub, clock)
        loop, ticks = asyncio.get_running_loop(), [0]

        def tick() -> None:
            ticks[0] += 1
            loop.call_soon(tick)

        hub.publish(numbered([change(Verb.ADDED, pod_key("p"))]))
        clock.step = 0.006
        loop.call_soon(tick)
        await hub.flush()
        clock.step = 0.0
        assert ticks[0] == 3, "after every 32 of them"


async def test_the_beat_of_a_hub_says_how_late_its_loop_is() -> None:
    async with running() as (hub, clock):
        await clock.advance(1.05)
        assert sum(hub.tally.loop_lag.counts) == 10


async def test_a_batch_in_two_parts_reaches_all_who_ride_together_whole() -> None:
    async with running() as (hub, clock):
        sockets = [(await join(hub, clock))[0] for _ in range(3)]
        for socket in sockets:
            socket.messages()
        large = [change(Verb.ADDED, pod_key(f"q{n}"), note="x" * 900_000) for n in range(12)]
        await publish(hub, *numbered([*large, *(change(Verb.ADDED, pod_key(f"r{n}")) for n in range(45))]))
        await clock.advance(1)
        for socket in sockets:
            batches = socket.messages()
            assert [message["type"] for message in batches] == ["batch", "batch"]
            assert sum(len(message["data"]) for message in batches) == 57


async def test_a_full_socket_is_looked_at_now_and_then_and_not_all_the_time() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        socket.room = 0
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        await clock.advance(0.1)
        looks = socket.looks
        await clock.advance(1)
        assert 49 <= socket.looks - looks <= 51
