"""Numbers of pods: each is one pod's for as long as it is there, and never another's (PROTOCOL 33)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery.numbers import Numbers
from kstream.core.timeline.events import Verb


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=40))
def test_a_number_is_never_that_of_another_pod(steps: list[tuple[str, bool]]) -> None:
    numbers = Numbers("n", ["a", "b"], since=7)
    there, ever = {"a": 1, "b": 2}, {1: "a", 2: "b"}
    for uid, gone in steps:
        verb = Verb.DELETED if gone and uid in there else Verb.MODIFIED if uid in there else Verb.ADDED
        number = numbers.take(uid, verb)
        assert ever.setdefault(number, uid) == uid
        assert there.get(uid, number) == number
        if verb is Verb.DELETED:
            del there[uid]
            assert numbers.uid(number) is None
        else:
            there[uid] = number
            assert numbers.uid(number) == uid
    assert all(numbers.of(uid) == number for uid, number in there.items())


def test_those_that_go_while_a_state_is_made_keep_theirs_until_it_is() -> None:
    numbers = Numbers("n", ["a", "b"], since=7)
    numbers.hold(held=True)
    assert numbers.take("a", Verb.DELETED) == 1
    assert numbers.take("b", Verb.DELETED) == 2
    assert numbers.take("b", Verb.ADDED) == 2, "it came back meanwhile"
    assert numbers.of("a") == 1
    numbers.hold(held=False)
    assert numbers.uid(1) is None
    assert numbers.uid(2) == "b"
    with pytest.raises(KeyError):
        numbers.of("a")
