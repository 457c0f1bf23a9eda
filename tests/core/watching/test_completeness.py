"""Up to when a stream is complete: never newer than it is (PROTOCOL 29)."""

from __future__ import annotations

import pytest

from kstream.core.watching.completeness import FULL, NEVER
from kstream.core.watching.reflection import Failure
from tests.core.watching.driven import Driven, initial_end, watch_list
from tests.scripted import bookmark, error, line, pod


def until(driven: Driven) -> float:
    return driven.reflector.complete_until(driven.moment)


def test_before_a_list_is_complete_nothing_is_known() -> None:
    driven = Driven()
    assert until(driven) == NEVER
    driven.ask()
    driven.page("a", more="token")
    driven.now += 5
    driven.ask()
    assert until(driven) == NEVER


def test_a_list_is_as_of_when_it_began_to_be_answered() -> None:
    driven = Driven()
    driven.ask()
    driven.page("a", more="token")
    driven.now += 5
    driven.ask()
    driven.page("b")
    assert until(driven) == 1000.0
    driven.now += 5
    assert until(driven) == 1000.0


@pytest.mark.parametrize("told", [line("ADDED", pod("b", "101")), bookmark("101"), b"{"])
def test_each_word_of_a_watch_makes_it_newer(told: bytes) -> None:
    driven = Driven().watching("a")
    driven.now += 7
    driven.send(told)
    assert until(driven) == 1007.0
    driven.now += 7
    assert until(driven) == 1007.0


def test_a_watch_that_was_opened_first_tells_what_it_is_late_with() -> None:
    driven = Driven().watching("a")
    driven.now += 7
    driven.send(bookmark("101"))
    driven.now += 300
    driven.end()
    driven.now += 5
    driven.ask()
    driven.open()
    driven.send(line("ADDED", pod("b", "102")))
    driven.now += 0.9
    assert until(driven) == 1007.0
    driven.now += 0.1
    assert until(driven) == 1312.0


def test_an_outage_makes_nothing_newer() -> None:
    driven = Driven().watching("a")
    driven.now += 2
    driven.send(bookmark("101"))
    driven.fail(Failure.CUT)
    for _ in range(3):
        driven.waits()
        driven.ask()
        driven.fail(Failure.UNREACHED)
        assert until(driven) == 1002.0


def test_while_it_is_listed_anew_it_is_as_of_before() -> None:
    driven = Driven().watching("a")
    driven.now += 2
    driven.send(error(410, "Expired"))
    driven.now += 3
    driven.ask()
    driven.page("a", version="200", more="token")
    driven.now += 3
    assert until(driven) == 1000.0
    driven.ask()
    driven.page("b", version="201")
    assert until(driven) == 1005.0


def test_an_error_says_nothing_of_what_came_before_it() -> None:
    driven = Driven().watching("a")
    driven.now += 60
    driven.end()
    driven.now += 5
    driven.ask()
    driven.open()
    driven.send(error(410, "Expired"))
    driven.now += 30
    assert until(driven) == 1000.0


def test_a_watch_that_ends_before_it_has_settled_makes_nothing_complete() -> None:
    driven = Driven().watching("a")
    driven.now += 60
    driven.end()
    driven.now += 5
    driven.ask()
    driven.open()
    driven.now += 0.5
    driven.fail(Failure.CUT)
    driven.now += 30
    assert until(driven) == 1000.0


def test_one_that_is_given_up_makes_nothing_complete() -> None:
    driven = Driven().watching("a")
    driven.now += 0.5
    driven.send(line("ADDED", pod("b", "101")))
    driven.reflector.restart()
    driven.now += 30
    assert until(driven) == 1000.0


def test_a_watch_that_says_nothing_was_complete_when_it_was_opened() -> None:
    driven = Driven().watching("a")
    driven.now += 60
    assert until(driven) == 1000.0


def test_the_words_before_a_list_is_complete_make_nothing_complete() -> None:
    driven = watch_list()
    driven.open()
    driven.now += 5
    driven.send(line("ADDED", pod("a", "5")))
    driven.now += 5
    assert until(driven) == NEVER
    driven.send(initial_end("9"))
    assert until(driven) == 1000.0


def test_a_watch_that_is_opened_again_is_complete_up_to_then() -> None:
    driven = Driven().watching("a")
    driven.now += 300
    driven.end()
    driven.now += 5
    driven.ask()
    driven.open()
    driven.now += 2
    assert until(driven) == 1305.0


def stalled(driven: Driven, seconds: float) -> None:
    """What it said is being committed for so long."""
    completeness = driven.reflector.completeness
    completeness.stopped_reading(driven.moment)
    driven.now += seconds
    assert completeness.reads_on(driven.moment) == pytest.approx(seconds)
    completeness.caught_up(driven.moment)


def test_one_that_was_not_read_for_a_while_first_tells_what_came_meanwhile() -> None:
    driven = Driven().watching("a")
    driven.now += 7
    driven.send(bookmark("101"))
    stalled(driven, 6.0)
    driven.send(line("ADDED", pod("b", "102")))
    assert until(driven) == 1007.0
    driven.now += 0.9
    driven.send(bookmark("103"))
    assert until(driven) == 1007.0
    driven.now += 0.1
    assert until(driven) == 1013.9


def test_as_long_as_it_is_not_read_nothing_gets_complete() -> None:
    driven = Driven().watching("a")
    driven.now += 7
    driven.send(bookmark("101"))
    stalled(driven, 6.0)
    driven.send(line("ADDED", pod("b", "102")))
    driven.reflector.completeness.stopped_reading(driven.moment)
    driven.now += 60
    assert until(driven) == 1007.0


def test_who_reads_on_and_hears_nothing_has_heard_all_up_to_then() -> None:
    driven = Driven().watching("a")
    driven.now += 7
    driven.send(bookmark("101"))
    stalled(driven, 6.0)
    driven.now += 1.0
    assert until(driven) == 1013.0


@pytest.mark.parametrize(("seconds", "complete"), [(0.09, 1007.09), (0.1, 1007.0)])
def test_a_moment_that_is_not_read_is_none(seconds: float, complete: float) -> None:
    driven = Driven().watching("a")
    driven.now += 7
    driven.send(bookmark("101"))
    stalled(driven, seconds)
    driven.send(bookmark("102"))
    assert until(driven) == pytest.approx(complete)


def test_what_came_with_a_word_is_handed_on_before_the_word_counts() -> None:
    driven = Driven().watching("a")
    driven.now += 7
    driven.take(driven.reflector.receive_data(line("ADDED", pod("b", "101")), driven.moment))
    driven.now += 5
    assert until(driven) == 1000.0
    driven.take(driven.reflector.receive_data(line("ADDED", pod("c", "102")), driven.moment))
    driven.now += 5
    assert until(driven) == 1000.0
    driven.reflector.completeness.caught_up(driven.moment)
    assert until(driven) == 1012.0


@pytest.mark.parametrize(("size", "complete"), [(FULL - 1, 1007.0), (FULL, 1000.0)])
def test_where_much_comes_at_once_more_may_wait(size: int, complete: float) -> None:
    driven = Driven().watching("a")
    driven.now += 1
    assert until(driven) == 1000.0
    driven.now += 6
    word = bookmark("101")
    driven.send(word + b"\n" * (size - len(word)))
    assert until(driven) == complete
    driven.now += 1
    assert until(driven) == 1007.0


def test_a_list_that_takes_long_to_commit_is_as_of_its_beginning() -> None:
    driven = Driven()
    driven.ask()
    driven.page("a")
    stalled(driven, 30.0)
    driven.now += 5
    assert until(driven) == 1000.0


def test_a_watch_that_began_as_a_list_is_complete_when_it_was_one_and_lasts() -> None:
    driven = watch_list()
    driven.open()
    driven.now += 5
    driven.send(initial_end("9"))
    assert until(driven) == 1000.0
    driven.now += 1
    assert until(driven) == 1005.0


def test_a_watch_that_is_throttled_is_over() -> None:
    driven = Driven().watching("a")
    driven.now += 0.3
    driven.send(error(429, "TooManyRequests"))
    driven.now += 30
    assert until(driven) == 1000.0
