"""What clients are told of the source, and when."""

from __future__ import annotations

from kstream.core.delivery.filters import EVERYTHING
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.health import Cleared, ClusterInfo, ErrorCode, Fault, Identified, Lost, Synced
from tests.delivery.sockets import FakeSocket, join, publish, types
from tests.hubs import running
from tests.making import change, pod_key


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
        assert types(socket.messages()) == [
            "connection",
            "initial_state",
        ]  # who the cluster is, for those who wait


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
    async with running(stale=True) as (hub, clock):
        socket, _ = await join(hub, clock)
        messages = socket.messages()
        assert types(messages) == ["connection", "connection", "initial_state"]
        assert [message["status"] for message in messages[:2]] == ["connected", "reconnecting"]


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
