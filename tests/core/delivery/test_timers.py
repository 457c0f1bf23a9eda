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
