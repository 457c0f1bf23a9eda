"""`--max-clients` is for all workers together, whichever of them a client meets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kstream.workers.seats import Ledger, SharedSeats


@contextmanager
def workers(count: int, *, most: int) -> Iterator[tuple[Ledger, list[SharedSeats]]]:
    ledger = Ledger(count)
    seats = [
        SharedSeats(ledger.descriptor, workers=count, number=number, most=most) for number in range(count)
    ]
    try:
        yield ledger, seats
    finally:
        for each in seats:
            each.close()
        ledger.close()


def test_one_worker_may_take_all_and_then_none_has_any() -> None:
    with workers(3, most=5) as (ledger, (one, two, three)):
        assert [one.take() for _ in range(4)] == [True] * 4
        assert two.take()
        assert [each.take() for each in (one, two, three)] == [False] * 3
        assert ledger.taken == three.taken == 5
        one.leave()
        assert three.take()
        assert not one.take()


def test_the_clients_of_a_worker_that_died_take_no_seats() -> None:
    with workers(2, most=3) as (ledger, (one, two)):
        for _ in range(3):
            assert one.take()
        ledger.clear(0)
        assert ledger.taken == 0
        assert [two.take() for _ in range(4)] == [True, True, True, False]


TAKER = """
import sys
from kstream.workers.seats import SharedSeats
descriptor, number = map(int, sys.argv[1:])
seats = SharedSeats(descriptor, workers=4, number=number, most=1000)
while seats.take():
    pass
"""


def test_processes_that_take_at_once_never_take_one_too_many() -> None:
    with workers(4, most=1000) as (ledger, _):
        takers = [
            subprocess.Popen(
                [sys.executable, "-c", TAKER, str(ledger.descriptor), str(number)],
                pass_fds=(ledger.descriptor,),
            )
            for number in range(4)
        ]
        assert [taker.wait() for taker in takers] == [0] * 4
        assert ledger.taken == 1000
