"""An answer is as long as its reader can take."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kstream.core.insight.budget import fitted, tokens


@given(st.lists(st.text(max_size=50)), st.integers(100, 3000))
def test_what_is_told_fits_and_what_is_not_is_counted(items: list[str], limit: int) -> None:
    told = fitted({"at": "now"}, "items", items, limit=limit)
    kept = told["items"]
    assert kept == items[: len(kept)], "the best come first"
    assert tokens(told) <= limit + 20
    assert ("left_out" in told) == (len(kept) < len(items))
    if kept != items:
        assert told["left_out"].startswith(f"{len(items) - len(kept)} more")


def test_something_is_always_told() -> None:
    told = fitted({}, "items", ["x" * 10_000, "y"], limit=100)
    assert told["items"] == ["x" * 10_000]


def test_a_limit_is_bounded_too() -> None:
    told = fitted({}, "items", (str(number) * 100 for number in range(10_000)), limit=10**9)
    assert 49_000 < tokens(told) < 51_000


def test_tokens_are_counted_rather_too_many() -> None:
    assert tokens("abc") == 2
