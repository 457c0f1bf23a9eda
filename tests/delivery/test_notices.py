"""What clients are told of the source, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kstream.clock import VirtualClock
from kstream.core.delivery.filters import EVERYTHING
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.health import Cleared, ClusterInfo, ErrorCode, Fault, Identified, Lost, Synced
from kstream.core.timeline.timepoint import timestamp
from kstream.delivery.hub import Hub
from tests.delivery.sockets import FakeSocket, join, publish, types
from tests.hubs import running
from tests.making import START, change, pod_key


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


async def test_who_came_before_one_that_resumed_early_is_told_when_what_comes_is_stale() -> None:
    """Seed 55233836: in doubt for the one, it was news for nobody that it was in doubt for the other, too."""
    async with running(synced=False) as (hub, clock):
        fresh, resumed = FakeSocket(), FakeSocket()
        hub.serve(hub.join(fresh, EVERYTHING, window_bits=0))
        hub.serve(hub.join(resumed, EVERYTHING, window_bits=0, resumed=True))
        assert [message["status"] for message in fresh.messages()] == ["connected"]
        resumed.messages()
        hub.report(Fault(ErrorCode.PERMISSION_DENIED, "no", "pods", "permission:list:pods:a", stale=True))
        hub.report(Synced())
        await clock.advance(0.1)
        told = [message.get("status") for message in fresh.messages() if message["type"] == "connection"]
        assert told == ["reconnecting"]
        hub.report(Cleared("permission:list:pods:a"))
        await clock.advance(0.1)
        for socket in (fresh, resumed):
            assert [m["status"] for m in socket.messages() if m["type"] == "connection"][-1] == "connected"


AT = timestamp(START)


class Played:
    """A timeline that is played as a test says."""

    def __init__(self) -> None:
        self.playback: dict[str, Any] = {"state": "playing", "speed": 2, "at": AT, "start": AT, "end": AT}
        self._tell: Callable[[Mapping[str, Any]], None] = lambda _: None

    def listen(self, listener: Callable[[Mapping[str, Any]], None]) -> Callable[[], None]:
        self._tell = listener
        return lambda: None

    def pause(self) -> None:
        self.playback |= {"state": "paused"}
        self._tell(self.playback)


async def test_whoever_comes_is_told_in_order_who_it_is_what_is_wrong_and_how_it_is_played() -> None:
    async with running(lost=True) as (hub, clock):
        hub.watch(Played())
        for subject in ("cluster", "watch pods"):
            hub.report(Fault(ErrorCode.CONNECTION_FAILED, "refused", "details", subject))
        outlet = FakeSocket()
        hub.join(outlet, EVERYTHING, window_bits=0, reason="another epoch")
        socket, _ = await join(hub, clock)
        first, doubt, one, other, playback, _ = socket.messages()
    now = "2025-01-24T10:00:00.000Z"
    assert first == {
        "type": "connection",
        "status": "connected",
        "timestamp": now,
        "cluster": {"name": "test", "version": "v1.36.0"},
        "epoch": "epoch-1",
        "term": "term-1",
        "source": "live",
        "protocol": 1,
        "resumed": False,
        "limits": {"messagesPerMinute": 1000, "burst": 50},
    }
    assert doubt == {name: value for name, value in first.items() if name not in ("resumed", "limits")} | {
        "status": "reconnecting"
    }
    assert one["error"].pop("fault") == "cluster"
    assert other["error"].pop("fault") == "watch pods"
    assert one == other
    assert (one["error"]["code"], one["timestamp"]) == ("CONNECTION_FAILED", now)
    assert playback == {"type": "playback", "data": Played().playback, "timestamp": now}


async def test_one_who_could_not_be_resumed_is_told_why_and_one_who_could_that_it_was() -> None:
    async with running() as (hub, clock):
        told = []
        for resumed, reason in ((False, "another epoch"), (True, None)):
            outlet = FakeSocket()
            hub.serve(hub.join(outlet, EVERYTHING, window_bits=0, resumed=resumed, reason=reason))
            told += [message for message in outlet.messages() if message["type"] == "connection"]
        await clock.advance(0)
    assert [(first["status"], first["resumed"], first.get("reason")) for first in told] == [
        ("connected", False, "another epoch"),
        ("connected", True, None),
    ]
    assert "reason" not in told[1]


async def test_everyone_is_told_how_the_timeline_is_played_from_now_on() -> None:
    async with running() as (hub, clock):
        played = Played()
        hub.watch(played)
        socket, _ = await join(hub, clock)
        socket.messages()
        played.pause()
        await clock.advance(0)
        (told,) = socket.messages()
        assert (told["type"], told["data"]) == ("playback", played.playback)


async def test_a_fault_is_told_to_everyone_at_once_and_so_is_its_end() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        socket.messages()
        fault = Fault(ErrorCode.CONNECTION_FAILED, "refused", "details", "cluster")
        for report in (fault, fault, Cleared("cluster"), Identified(ClusterInfo("test", "v1.36.0"))):
            hub.report(report)
        await clock.advance(0)
        assert types(socket.messages()) == ["error", "cleared"]


async def test_who_comes_is_told_of_nothing_that_is_over() -> None:
    async with running() as (hub, clock):
        lasts = Fault(ErrorCode.CONNECTION_FAILED, "refused", "details", "cluster")
        for report in (lasts, Cleared("cluster"), Fault(ErrorCode.CONNECTION_FAILED, "for a moment")):
            hub.report(report)
        socket, _ = await join(hub, clock)
        assert types(socket.messages()) == ["connection", "initial_state"]


async def test_what_was_wrong_for_a_moment_does_not_take_the_place_of_what_was_before_it() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        socket.messages()
        for number in range(40):
            hub.report(Fault(ErrorCode.CONNECTION_FAILED, f"moment {number}"))
            hub.report(Fault(ErrorCode.CONNECTION_FAILED, f"lasts {number}", "", "cluster"))
        told = [
            message["error"]["message"] for message in await _told(socket, hub, clock) if "error" in message
        ]
    assert [text for text in told if text.startswith("moment")] == [
        f"moment {number}" for number in range(40)
    ]
    assert told[-1] == "lasts 39"
    assert len(told) < 80, "of what lasts the newest says all"


async def test_another_cluster_is_told_with_whether_it_is_in_touch() -> None:
    async with running(lost=True) as (hub, clock):
        socket, _ = await join(hub, clock)
        socket.messages()
        hub.report(Identified(ClusterInfo("other", "v2")))
        await clock.advance(0)
        hub.report(Synced())
        hub.report(Identified(ClusterInfo("third", "v3")))
        await clock.advance(0)
        told = [(message["status"], message["cluster"]["name"]) for message in socket.messages()]
    assert told == [("reconnecting", "other"), ("connected", "other"), ("connected", "third")]


async def test_reports_are_told_in_their_order_each_with_the_event_that_it_belongs_to() -> None:
    async with running() as (hub, clock):
        socket, _ = await join(hub, clock)
        socket.messages()
        hub.report(Lost(), after=1)
        hub.report(Synced(), after=3)
        hub.report(Lost())
        await clock.advance(0)
        assert socket.messages() == []
        for seq, expected in ((1, ["reconnecting"]), (2, []), (3, ["connected", "reconnecting"])):
            hub.publish([Event(seq, change(Verb.ADDED, pod_key(f"p{seq}")))])
            await clock.advance(0)
            assert [message["status"] for message in socket.messages() if "status" in message] == expected
        hub.report(Synced(), after=3)
        await clock.advance(0)
        assert [message.get("status") for message in socket.messages()][:1] == ["connected"]


async def test_those_who_wait_get_the_state_as_soon_as_there_is_one_to_show() -> None:
    async with running(synced=False) as (hub, clock):
        socket, _ = await join(hub, clock)
        hub.report(Synced())
        await clock.advance(0)
        assert types(socket.messages()) == ["connection", "initial_state"]


def _denied(number: int) -> Fault:
    return Fault(ErrorCode.PERMISSION_DENIED, "no", "details", f"permission:list:pods:n{number}")


async def _told(socket: FakeSocket, hub: Hub, clock: VirtualClock) -> list[dict[str, Any]]:
    """What comes within as long as the rate needs for 400 messages; all who are there answer pings."""
    for _ in range(30):
        for member in hub:
            hub.pong(member)
        await clock.advance(1.0)
    return socket.messages()


async def test_whatever_the_number_of_faults_all_of_them_are_told_and_taken_back_and_the_greeting_is_first() -> (
    None
):
    async with running() as (hub, clock):
        early, _ = await join(hub, clock)
        early.messages()
        for number in range(200):
            hub.report(_denied(number))
        expected = {f"permission:list:pods:n{number}" for number in range(200)}
        told = await _told(early, hub, clock)
        assert {message["error"]["fault"] for message in told if message["type"] == "error"} == expected

        late, _ = await join(hub, clock)
        first, *rest = await _told(late, hub, clock)
        assert (first["type"], first["status"]) == ("connection", "connected")
        assert {message["error"]["fault"] for message in rest if message["type"] == "error"} == expected
        assert "initial_state" in types(rest)

        for number in range(200):
            hub.report(Cleared(f"permission:list:pods:n{number}"))
        for socket in (early, late):
            told = await _told(socket, hub, clock)
            assert {message["fault"] for message in told if message["type"] == "cleared"} == expected


async def test_what_a_client_asks_for_pushes_out_no_word_of_the_server() -> None:
    async with running() as (hub, clock):
        socket, member = await join(hub, clock)
        await clock.advance(0)
        socket.messages()
        socket.room = 0
        hub.report(_denied(0))
        hub.report(Lost())
        for _ in range(100):
            hub.receive(member, b'{"type":"ping"}')
        socket.room = None
        socket.read(0)
        told = types(await _told(socket, hub, clock))
        assert "connection" in told
        assert "error" in told


async def test_a_fault_is_told_in_the_same_words_to_all_who_come_until_it_changes() -> None:
    async with running() as (hub, clock):
        hub.report(_denied(0))

        async def error() -> Mapping[str, Any]:
            socket, _ = await join(hub, clock)
            return next(message for message in socket.messages() if message["type"] == "error")

        first = await error()
        await clock.advance(5.0)
        assert await error() == first
        hub.report(Fault(ErrorCode.PERMISSION_DENIED, "still no", "", "permission:list:pods:n0"))
        assert (await error())["error"]["message"] == "still no"
        hub.report(Cleared("permission:list:pods:n0"))
        hub.report(_denied(0))
        again = await error()
        assert (again["error"]["message"], again["timestamp"] > first["timestamp"]) == ("no", True)
