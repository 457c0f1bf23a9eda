from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from typing import Any

import pytest

from kstream.clock import VirtualClock
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.session import Close
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.health import Cleared, ClusterInfo, ErrorCode, Fault, Identified, Lost, Synced
from kstream.core.timeline.state import ClusterState
from kstream.delivery.hub import Hub
from kstream.delivery.member import Member
from tests.frames_reader import FrameReader
from tests.hubs import running
from tests.making import START, change, node_key, numbered, pod_key


class FakeSocket:
    """An outlet whose reader takes `room` bytes more; None is all."""

    descriptor = -1

    def __init__(self) -> None:
        self.room: int | None = None
        self.taken = bytearray()
        self.buffer = bytearray()
        self.closed: Close | None = None
        self._reader = FrameReader()
        self.writes = 0

    def write(self, data: bytes | memoryview) -> None:
        self.writes += 1
        self.buffer += data
        self.read(0)

    def read(self, more: int) -> None:
        if self.room is not None:
            self.room += more
        count = len(self.buffer) if self.room is None else min(self.room, len(self.buffer))
        self.taken += self.buffer[:count]
        del self.buffer[:count]
        if self.room is not None:
            self.room -= count

    def pending(self) -> int:
        return len(self.buffer)

    def close(self, close: Close) -> None:
        self.closed = close

    def messages(self) -> list[dict[str, Any]]:
        data, self.taken = bytes(self.taken), bytearray()
        return self._reader.messages(data)


async def join(hub: Hub, clock: VirtualClock, watched: Filter = EVERYTHING) -> tuple[FakeSocket, Member]:
    socket = FakeSocket()
    member = hub.join(socket, watched, window_bits=0)
    hub.serve(member)
    await clock.advance(0)
    return socket, member


async def publish(hub: Hub, *events: Event) -> None:
    hub.publish(events)
    await hub.flush()


def types(messages: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in messages]


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


async def test_a_client_of_a_broken_source_gets_the_error_and_the_state_as_soon_as_there_is_one() -> None:
    async with running(synced=False) as (hub, clock):
        fault = Fault(ErrorCode.CONNECTION_FAILED, "refused", "details", "cluster")
        hub.report(fault)
        socket, _ = await join(hub, clock)
        assert types(socket.messages()) == ["connection", "error"]
        hub.report(Cleared("cluster"))
        hub.report(Identified(ClusterInfo("found", "v1")))
        await publish(hub, Event(1, change(Verb.ADDED, pod_key("p"))))
        hub.report(Synced(), after=1)
        await clock.advance(0)
        cleared, found, state = socket.messages()  # who the cluster is, for those who wait
        assert (cleared["type"], cleared["fault"]) == ("cleared", "cluster")
        assert (found["type"], found["cluster"]["name"], state["type"]) == (
            "connection",
            "found",
            "initial_state",
        )


async def test_a_report_waits_for_the_events_before_it() -> None:
    async with running(synced=False) as (hub, clock):
        socket, _ = await join(hub, clock)
        hub.report(Synced(), after=1)
        await clock.advance(0)
        assert types(socket.messages()) == ["connection"]
        await publish(hub, Event(1, change(Verb.ADDED, pod_key("p"))))
        await clock.advance(0)
        (state,) = socket.messages()
        assert state["seq"] == 1


async def test_clients_are_told_once_when_the_source_is_lost_and_when_it_is_back() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        socket.messages()
        for report in (Lost(), Lost(), Synced(), Synced()):
            hub.report(report)
        await clock.advance(0)
        assert [message["status"] for message in socket.messages()] == ["reconnecting", "connected"]


async def test_one_who_comes_while_the_state_is_stale_is_told_so() -> None:
    async with running(lost=True) as (hub, clock):
        socket, _ = await join(hub, clock)
        messages = socket.messages()
        assert types(messages) == ["connection", "connection", "initial_state"]
        assert [message["status"] for message in messages[:2]] == ["connected", "reconnecting"]


async def test_metrics_come_at_their_interval_whatever_the_filter() -> None:
    async with running() as (hub, clock):
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p", "elsewhere"))]))
        socket, _ = await join(hub, clock, Filter(frozenset({"none"})))
        socket.messages()
        await clock.advance(25.0)
        messages = socket.messages()
    assert types(messages) == ["metrics", "metrics"]
    assert messages[0]["data"]["totalPods"] == 1


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


async def test_a_slow_reader_gets_one_coalesced_batch_when_it_reads_again() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        socket.messages()
        socket.room = 0
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        held = socket.pending()
        for seq in range(2, 200):
            await publish(hub, Event(seq, change(Verb.MODIFIED, pod_key("p"), note=str(seq))))
        assert socket.pending() == held, "a client that does not read costs its socket buffer"
        socket.room = None
        socket.read(0)
        await clock.advance(0.1)
        first, batch = socket.messages()
        assert first["seq"] == 1
        assert (batch["type"], batch["seq"], len(batch["data"])) == ("batch", 199, 1)
        assert batch["data"][0]["action"] == "MODIFIED"


async def test_one_who_reads_nothing_for_a_minute_is_closed_with_1013() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        socket.room = 0
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        await clock.advance(59)
        before = socket.closed
        await clock.advance(2)
        assert before is None
        assert socket.closed == Close(1013, "read nothing for too long", abort=True)


async def test_one_whose_socket_is_full_may_answer_a_ping_late_but_not_never() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        await clock.advance(30)  # a ping is sent, and not answered
        socket.room = 0
        await publish(hub, *numbered([change(Verb.ADDED, pod_key("p"))]))
        await clock.advance(20)
        socket.room = None
        socket.read(0)
        await clock.advance(9)
        before = socket.closed
        await clock.advance(2)
        assert before is None
        assert socket.closed == Close(1011, "no answer to a ping", abort=True)


async def test_a_slow_reader_does_not_hold_up_the_others() -> None:
    async with running() as (hub, clock):
        slow, _ = await join(hub, clock)
        fast, _ = await join(hub, clock)
        fast.messages()
        slow.room = 0
        for seq in range(1, 41):
            verb = Verb.ADDED if seq == 1 else Verb.MODIFIED
            await publish(hub, Event(seq, change(verb, pod_key("p"), note=str(seq))))
        assert len(fast.messages()) == 40


async def test_a_large_state_is_written_as_the_socket_takes_it() -> None:
    async with running() as (hub, clock):
        await publish(
            hub, *numbered([change(Verb.ADDED, pod_key(f"p{n}"), note="x" * 5000) for n in range(400)])
        )
        socket = FakeSocket()
        socket.room = 1000
        hub.serve(hub.join(socket, EVERYTHING, window_bits=0))
        while not socket.pending():  # a large snapshot is encoded in a thread
            await asyncio.sleep(0.001)
            await clock.advance(0.02)
        assert 0 < socket.pending() <= 256 * 1024
        for _ in range(20):
            socket.read(512 * 1024)
            await clock.advance(0.02)
        connection, state = socket.messages()
        assert (connection["type"], len(state["data"]["pods"])) == ("connection", 400)


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


class RealSocket(FakeSocket):
    """One with a descriptor, that a lane writes to directly."""

    def __init__(self) -> None:
        super().__init__()
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        self._near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.descriptor = self._near.fileno()

    def received(self) -> list[dict[str, Any]]:
        """What came by either way, in order; the transport's part never before the descriptor's is read."""
        with suppress(BlockingIOError):
            while data := self._far.recv(65536):
                self.taken += data
        return self.messages()

    def __del__(self) -> None:
        self._near.close()
        self._far.close()


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


class SlowClock(VirtualClock):
    """A clock on which sending takes time: each look at it costs `step` seconds."""

    step = 0.0

    def monotonic(self) -> float:
        self._now += self.step
        return super().monotonic()


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


async def test_who_is_there_before_the_cluster_is_known_is_told_when_it_is() -> None:
    async with running(synced=False) as (hub, clock):
        client, _ = await join(hub, clock)
        client.messages()
        hub.report(Identified(ClusterInfo("found", "v1")))
        await clock.advance(0.1)
        (told,) = client.messages()
        assert (told["type"], told["cluster"]) == ("connection", {"name": "found", "version": "v1"})


async def test_who_resumes_before_the_source_has_synced_holds_what_may_be_old() -> None:
    async with running(synced=False) as (hub, clock):
        for time in ("the first", "the second"):
            socket = FakeSocket()
            hub.serve(hub.join(socket, EVERYTHING, window_bits=0, resumed=True))
            first, second = socket.messages()
            assert (first["status"], second["status"]) == ("connected", "reconnecting"), time
        hub.report(Synced())
        await clock.advance(0.1)
        assert socket.messages()[0]["status"] == "connected"
        hub.report(Synced())
        await clock.advance(0.1)
        assert socket.messages() == []
