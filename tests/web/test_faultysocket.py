"""Faults on demand, to the second, on a loop that has no real time. test_faults.py has what a client sees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import WSMessage, WSMsgType

from kstream.core.delivery.session import Close
from kstream.core.delivery.socketfaults import parse_faults
from kstream.delivery.member import Reached
from kstream.web.faultysocket import FaultySocket
from tests.virtual import in_virtual_time


class Behind:
    """What is behind it: when it was told what."""

    descriptor = 7

    def __init__(self) -> None:
        self.heard: list[tuple[float, bytes | Close]] = []

    def _hear(self, what: bytes | Close) -> None:
        self.heard.append((round(asyncio.get_running_loop().time() - BEGAN, 6), what))

    def write(self, data: bytes | memoryview) -> None:
        self._hear(bytes(data))

    def pending(self) -> int:
        return 42

    def reached(self) -> Reached:
        return Reached(7, 9)

    def close(self, close: Close) -> None:
        self._hear(close)


BEGAN = 1000.0  # seconds: the loop has been there before the connection was
PING = WSMessage(WSMsgType.PING, b"", "")
TEXT_PING = WSMessage(WSMsgType.TEXT, b'{"type":"ping"}', "")
TEXT = WSMessage(WSMsgType.TEXT, b'{"type":"subscribe"}', "")
PONG = WSMessage(WSMsgType.PONG, b'"ping"', "")
CLOSE = WSMessage(WSMsgType.CLOSE, 1000, "")


def told(
    *faults: str, acts: list[tuple[float, Callable[[FaultySocket], object]]]
) -> list[tuple[float, bytes | Close]]:
    """What reaches the socket behind when that is done at these seconds."""
    behind = Behind()
    failed: list[object] = []

    async def story() -> None:
        await asyncio.sleep(BEGAN)
        outlet = FaultySocket(behind, parse_faults(faults))
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: failed.append(context))
        for at, act in acts:
            loop.call_at(BEGAN + at, act, outlet)
        await asyncio.sleep(100)

    in_virtual_time(story())
    assert failed == []
    return behind.heard


def writes(text: str) -> Callable[[FaultySocket], object]:
    return lambda outlet: outlet.write(text.encode())


@pytest.mark.parametrize(
    ("fault", "close"),
    [
        ("drop:after=10", Close(1006, "--fault drop", abort=True)),
        ("close:after=10,code=4321", Close(4321, "--fault close")),
    ],
)
def test_a_connection_ends_when_it_is_said_to_unless_it_has_ended_before(fault: str, close: Close) -> None:
    assert told(fault, acts=[(1, writes("a"))]) == [(1, b"a"), (10, close)]
    assert told(fault, acts=[(9, FaultySocket.done)]) == []
    own = Close(1001, "going")
    assert told(fault, acts=[(9, lambda outlet: outlet.close(own))]) == [(9, own)]


def test_the_faults_of_one_connection_all_happen() -> None:
    heard = told("mute:after=3", "close:after=5", "drop:after=10", acts=[(2, writes("a")), (4, writes("b"))])
    assert heard == [
        (2, b"a"),
        (5, Close(1011, "--fault close")),
        (10, Close(1006, "--fault drop", abort=True)),
    ]


def test_what_is_written_goes_through_and_to_no_descriptor() -> None:
    seen: list[int] = []
    heard = told(
        "deaf",
        acts=[(0, writes("a")), (0, lambda outlet: seen.extend((outlet.descriptor, outlet.pending())))],
    )
    assert (heard, seen) == ([(0, b"a")], [-1, 42])


def test_what_is_not_delayed_is_written_at_once() -> None:
    behind = Behind()

    async def story() -> None:
        outlet = FaultySocket(behind, parse_faults(["deaf"]))
        outlet.write(b"a")
        assert len(behind.heard) == 1

    in_virtual_time(story())


def test_everything_is_later_by_the_sum_of_the_delays_in_order() -> None:
    acts = [(0.0, writes("a")), (0.5, writes("b")), (0.75, writes("c")), (4.0, writes("d"))]
    assert told("delay:seconds=0.5", "delay:seconds=1", acts=acts) == [
        (1.5, b"a"),
        (2.0, b"b"),
        (2.25, b"c"),
        (5.5, b"d"),
    ]


def test_what_is_late_when_the_connection_ends_is_never_sent() -> None:
    own = Close(1001, "going")
    acts: list[tuple[float, Callable[[FaultySocket], object]]] = [
        (0.0, writes("a")),
        (1.0, writes("b")),
        (1.2, lambda outlet: outlet.close(own)),
    ]
    assert told("delay:seconds=1", acts=acts) == [(1.0, b"a"), (1.2, own)]


def test_from_a_moment_on_a_mute_socket_writes_nothing() -> None:
    acts = [(at, writes(str(at))) for at in (0.0, 1.9, 2.0, 3.0)]
    assert told("mute:after=2", "mute:after=7", acts=acts) == [(0.0, b"0.0"), (1.9, b"1.9")]
    assert told("mute", acts=acts) == []


@pytest.mark.parametrize("fault", ["deaf:after=2", "mute:after=2"])
def test_from_a_moment_on_pings_are_not_heard_and_all_else_is(fault: str) -> None:
    heard: list[list[bool]] = []

    def listen(outlet: FaultySocket) -> None:
        heard.append([outlet.hears(message) for message in (PING, TEXT_PING, TEXT, PONG, CLOSE)])

    told(fault, f"{fault.split(':')[0]}:after=9", acts=[(1.9, listen), (2.0, listen)])
    assert heard == [[True] * 5, [False, False, True, True, True]]
