from __future__ import annotations

import pytest

from kstream.core.delivery.urgent import MANY, Urgent, Word


def taken(urgent: Urgent) -> list[bytes]:
    found = []
    while urgent:
        found.append(urgent.take())
    return found


def test_nothing_waits_at_first() -> None:
    urgent = Urgent()
    assert not urgent
    assert len(urgent) == 0
    with pytest.raises(IndexError):
        urgent.take()


def test_few_go_as_they_were_said() -> None:
    urgent = Urgent()
    said = [Word("", b"pong"), Word("a", b"a1"), Word("b", b"b1"), Word("a", b"a2"), *[Word("", b"p")] * 60]
    assert len(said) == MANY
    for word in said:
        urgent.add(word)
    assert taken(urgent) == [word.message for word in said]


def test_of_many_only_the_newest_about_each_thing_goes_in_the_order_of_these() -> None:
    urgent = Urgent()
    for word in (Word("a", b"a1"), Word("b", b"b1"), Word("a", b"a2"), *[Word("", b"p")] * 62):
        urgent.add(word)
    assert taken(urgent) == [b"b1", b"a2", *[b"p"] * 62]


def test_no_word_is_lost_however_many_things_there_are_to_speak_of() -> None:
    urgent = Urgent()
    for number in range(3000):
        urgent.add(Word(f"fault {number}", b"%d" % number))
    assert taken(urgent) == [b"%d" % number for number in range(3000)]


def test_what_is_said_again_and_again_never_grows_past_twice_what_there_is_to_say() -> None:
    urgent = Urgent()
    for number in range(100_000):
        urgent.add(Word(f"fault {number % 100}", b"%d" % number))
        assert len(urgent) <= 200
    assert set(taken(urgent)) >= {b"%d" % number for number in range(99_900, 100_000)}


def test_of_too_many_answers_the_oldest_are_lost_and_no_word() -> None:
    urgent = Urgent()
    urgent.add(Word("connection", b"connected"))
    for number in range(10_000):
        urgent.add(Word("", b"%d" % number))
        assert len(urgent) <= 2 * (MANY + 1)
    first, *rest = taken(urgent)
    assert first == b"connected"
    assert rest == [b"%d" % number for number in range(10_000 - len(rest), 10_000)]
    assert len(rest) >= MANY


def test_the_64_newest_answers_are_kept_when_there_are_too_many() -> None:
    urgent = Urgent()
    for number in range(MANY + 1):
        urgent.add(Word("", b"%d" % number))
    assert taken(urgent) == [b"%d" % number for number in range(1, MANY + 1)]
