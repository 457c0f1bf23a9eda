"""How many clients there may be at once, where one process serves alone."""

from __future__ import annotations

from kstream.web.seats import OwnSeats, Seats


def test_there_are_as_many_seats_as_there_may_be_clients_and_one_that_is_left_is_free() -> None:
    seats: Seats = OwnSeats(2)
    assert (seats.most, seats.taken) == (2, 0)
    assert [seats.take() for _ in range(3)] == [True, True, False]
    assert seats.taken == 2, "who was refused has none"
    seats.leave()
    assert seats.taken == 1
    assert [seats.take(), seats.take(), seats.taken] == [True, False, 2]


def test_where_nobody_may_be_there_is_no_seat() -> None:
    assert not OwnSeats(0).take()
