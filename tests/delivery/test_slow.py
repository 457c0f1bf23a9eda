"""Clients whose sockets are full."""

from __future__ import annotations

from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.session import Session
from kstream.delivery.member import Member
from kstream.delivery.slow import Slow
from tests.delivery.sockets import FakeSocket

FOREVER = float("inf")


def full(size: int = 100) -> tuple[FakeSocket, Member]:
    socket = FakeSocket()
    socket.room = 0
    session = Session(Backlog(head=0), EVERYTHING, limits=Limits(), window_bits=0, now=0.0)
    member = Member(session, socket)
    member.send(bytes(size))
    assert not member.drained(0.0)
    return socket, member


def test_who_has_read_is_slow_no_more() -> None:
    slow = Slow(10.0)
    assert (slow.due(5.0), len(slow)) == (FOREVER, 0)
    (socket, member), (_, other) = full(), full()
    slow.add(member)
    slow.add(other)
    assert (slow.due(5.0), len(slow), member in slow) == (5.02, 2, True)
    assert list(slow.look(1.0)) == []
    socket.read(100)
    assert list(slow.look(2.0)) == [(member, True)]
    assert (member in slow, other in slow) == (False, True)


def test_who_reads_nothing_for_too_long_is_given_up_by_whoever_looks() -> None:
    slow = Slow(10.0)
    socket, member = full()
    slow.add(member)
    assert list(slow.look(9.9)) == []
    socket.read(1)
    assert list(slow.look(9.95)) == [], "it has read something"
    assert list(slow.look(19.9)) == []
    assert list(slow.look(19.95)) == [(member, False)]
    assert member in slow
    slow.forget(member)
    slow.forget(member)
    assert len(slow) == 0
