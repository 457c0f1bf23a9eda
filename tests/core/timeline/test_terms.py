"""core.timeline.terms: how far a client may be that was told a term."""

from __future__ import annotations

import pytest

from kstream.core.timeline.terms import Term, reach

TERMS = (Term("a", 1), Term("b", 220), Term("c", 220), Term("d", 500))


@pytest.mark.parametrize(
    ("term", "reached"), [("a", 219), ("b", 219), ("c", 499), ("d", 600), ("e", None), ("", None)]
)
def test_a_term_reaches_to_the_event_before_the_next_one(term: str, reached: int | None) -> None:
    assert reach(TERMS, term, head=600) == reached


def test_the_last_term_reaches_to_the_head_also_before_it_has_written() -> None:
    assert reach(TERMS, "d", head=499) == 499
    assert reach((), "a", head=0) is None
