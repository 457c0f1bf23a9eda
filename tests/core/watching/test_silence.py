"""Watches that say nothing, and watches that end too soon."""

from __future__ import annotations

import pytest

from kstream.core.watching.silence import BOOKMARKS_WITHIN, INITIAL_WITHIN, SHORT, Silence


def bookmarked() -> Silence:
    silence = Silence()
    silence.bookmarked()
    return silence


def test_a_watch_is_waited_for_as_long_as_it_may_last_and_with_bookmarks_until_the_next_is_overdue() -> None:
    assert Silence().patience(300.0, initial=False) == 330.0
    assert bookmarked().patience(300.0, initial=False) == BOOKMARKS_WITHIN == 70.0
    assert bookmarked().patience(300.0, initial=True) == INITIAL_WITHIN == 30.0


def test_a_silence_is_doubted_ever_more_seldom() -> None:
    silence = bookmarked()
    doubted = [number for number in range(1, 40) if silence.doubtful(heard=False)]
    assert doubted == [1, 2, 4, 8, 16, 32]


def test_a_word_begins_the_count_anew() -> None:
    silence = bookmarked()
    assert [silence.doubtful(heard=False) for _ in range(3)] == [True, True, False]
    silence.broken()
    assert [silence.doubtful(heard=False) for _ in range(3)] == [True, True, False]


def test_what_was_heard_and_what_never_had_bookmarks_is_not_doubted() -> None:
    silence = bookmarked()
    assert [silence.doubtful(heard=True) for _ in range(3)] == [False] * 3
    assert silence.doubtful(heard=False), "and was not counted"
    assert not Silence().doubtful(heard=False)


@pytest.mark.parametrize(
    ("lasted", "hasty"), [(0.0, True), (SHORT - 0.01, True), (SHORT, False), (60.0, False)]
)
def test_the_second_watch_in_a_row_that_ends_at_once_is_hasty(lasted: float, hasty: bool) -> None:
    silence = Silence()
    assert not silence.hasty(0.0)
    assert silence.hasty(lasted) is hasty
    assert silence.hasty(0.0) is hasty


def test_one_that_lasted_takes_two_more() -> None:
    silence = Silence()
    assert [silence.hasty(lasted) for lasted in (0.0, 5.0, 0.0, 0.0)] == [False, False, False, True]
