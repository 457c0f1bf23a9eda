"""How many may be there at once, of a process that serves alone."""

from __future__ import annotations

from kstream.web.seats import OwnSeats


def test_as_many_are_taken_as_there_are_and_one_that_is_left_is_free_again() -> None:
    seats = OwnSeats(2)
    assert (seats.most, seats.taken) == (2, 0)
    assert [seats.take() for _ in range(3)] == [True, True, False]
    assert seats.taken == 2
    seats.leave()
    assert seats.taken == 1
    assert (seats.take(), seats.take(), seats.taken) == (True, False, 2)
