"""A flood of one sort of line costs a few, and the others are counted."""

from __future__ import annotations

from kstream.processlog.flood import Flood, LeftOut


def test_ten_at_once_and_two_a_second_after_that() -> None:
    flood: Flood[str] = Flood()
    assert [flood.admits("a", 0.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert [flood.admits("a", 0.5), flood.admits("a", 0.5), flood.admits("a", 0.75)] == [True, False, False]
    assert flood.take(2.0) == [LeftOut("a", 4, 2.0)]
    assert flood.take(3.0) == []
    assert sum(flood.admits("a", 60.0) for _ in range(99)) == 10


def test_processes_that_share_a_place_have_a_part_of_it_each() -> None:
    flood: Flood[str] = Flood(among=4)
    assert [flood.admits("a", 0.0) for _ in range(4)] == [True] * 2 + [False] * 2
    # Half a token is left over: 2.5 lines at once.
    assert [flood.admits("a", 1.0), flood.admits("a", 1.9), flood.admits("a", 3.0)] == [True, False, True]
    assert sum(flood.admits("a", 60.0) for _ in range(99)) == 2


def test_each_of_many_processes_has_a_line_at_once() -> None:
    flood: Flood[str] = Flood(among=64)
    assert [flood.admits("a", 0.0), flood.admits("a", 31.0), flood.admits("a", 33.0)] == [True, False, True]


def test_one_sort_takes_nothing_from_another() -> None:
    flood: Flood[str] = Flood()
    for _ in range(1000):
        flood.admits("a", 0.0)
    assert flood.admits("b", 0.0)
    assert flood.take(0.0) == [LeftOut("a", 990, 0.0)]


def test_thousands_of_sorts_are_forgotten_but_for_what_was_left_out() -> None:
    flood: Flood[int] = Flood()
    for _ in range(11):
        flood.admits(-1, 0.0)
    for number in range(5000):
        assert flood.admits(number, 1.0)
    assert flood.take(4.0) == [LeftOut(-1, 1, 4.0)]
    assert [flood.admits(4999, 1.0) for _ in range(11)].count(True) == 9, "the newest are kept"
    assert [flood.admits(0, 1.0) for _ in range(11)].count(True) == 10, "the oldest are not"


def test_where_every_sort_was_left_out_the_oldest_is_forgotten() -> None:
    flood: Flood[int] = Flood()
    for number in range(600):
        for _ in range(11):
            flood.admits(number, 0.0)
    assert len(flood.take(0.0)) == 512
