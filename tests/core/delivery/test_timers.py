from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery.timers import Timers


class Client:
    def __init__(self, name: int) -> None:
        self.name = name
        self.scheduled = math.inf


def test_the_earliest_comes_first_and_those_of_one_instant_as_they_were_put_in() -> None:
    timers: Timers[Client] = Timers()
    assert timers.due == math.inf
    for name, due in enumerate([5.0, 1.0, 5.0, 1.0]):
        timers.put(due, Client(name))
    assert timers.due == 1.0
    assert [timers.take().name for _ in range(4)] == [1, 3, 0, 2]
    assert timers.due == math.inf


@given(st.lists(st.floats(0.0, 40.0), max_size=300))
def test_nobody_is_forgotten_and_what_waits_does_not_pile_up(waits: list[float]) -> None:
    """One with a heartbeat far away and other business every now and then, as a session is."""
    timers: Timers[Client] = Timers()
    client = Client(1)
    now, heartbeat = 0.0, 30.0
    for wait in waits:
        if now >= heartbeat:
            heartbeat = now + 30.0
        wanted = min(now + wait, heartbeat)
        timers.put(wanted, client)
        assert timers.due == client.scheduled <= wanted
        assert len(timers) <= 2
        now = timers.due
        assert timers.take() is client


def test_who_is_looked_at_before_is_not_put_in_again() -> None:
    timers: Timers[Client] = Timers()
    client = Client(1)
    timers.put(5.0, client)
    for due in (5.0, 6.0, math.inf):
        timers.put(due, client)
    assert (len(timers), client.scheduled) == (1, 5.0)
    timers.put(4.0, client)
    assert (len(timers), client.scheduled, timers.due) == (2, 4.0, 4.0)


def test_who_was_put_in_earlier_is_still_looked_at_when_it_was_to_be() -> None:
    timers: Timers[Client] = Timers()
    client = Client(1)
    timers.put(9.0, client)
    timers.put(4.0, client)
    assert timers.take() is client
    assert (client.scheduled, timers.due, len(timers)) == (9.0, 9.0, 1)
    assert timers.take() is client
    assert (client.scheduled, timers.due, len(timers)) == (math.inf, math.inf, 0)


def test_of_those_who_have_gone_no_more_are_kept_than_of_those_who_have_not_and_a_few() -> None:
    timers: Timers[Client] = Timers()
    stays = [Client(n) for n in range(100)]
    for client in stays:
        timers.put(30.0, client)
    for n in range(10_000):
        client = Client(1000 + n)
        timers.put(30.0, client)
        timers.put(1.0, client)
        timers.forget(client)
        timers.forget(client)
        assert len(timers) <= len(stays) + 2 * (len(stays) + 33)
    assert [client.scheduled for client in stays] == [30.0] * 100
    left = [timers.take() for _ in range(len(timers))]
    assert [client for client in left if client.name < 1000] == stays


def test_one_who_has_gone_is_not_put_in_again() -> None:
    timers: Timers[Client] = Timers()
    client = Client(1)
    timers.put(5.0, client)
    timers.put(2.0, client)
    timers.forget(client)
    timers.put(1.0, client)
    assert len(timers) == 2
    assert timers.take() is client
    timers.put(1.0, client)
    assert len(timers) == 1, "not even after its turn has come"
