"""An answer is as long as its reader can take."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from kstream.core.insight.budget import fitted, tokens


@given(st.lists(st.text(max_size=50)), st.integers(100, 3000), st.booleans())
def test_what_is_told_fits_and_what_is_not_is_counted(items: list[str], limit: int, known: bool) -> None:
    told = fitted({"at": "now"}, "items", items, limit=limit, total=len(items) if known else None)
    kept = told["items"]
    assert kept == items[: len(kept)] or kept == [items[0][: len(kept[0]) - 1] + "…"], "the best come first"
    assert tokens(told) <= limit + 20
    assert ("left_out" in told) == (len(kept) < len(items))
    if len(kept) < len(items):
        assert told["left_out"].startswith(f"{len(items) - len(kept)} more")


def test_where_it_is_known_how_many_there_are_no_more_are_made_than_are_told() -> None:
    made = []

    def items() -> Iterator[str]:
        for number in range(1000):
            made.append(number)
            yield "x" * 30

    told = fitted({}, "items", items(), limit=200, total=1000)
    assert len(made) == len(told["items"]) + 1
    assert told["left_out"].startswith(f"{1000 - len(told['items'])} more")


def test_of_what_is_too_large_by_itself_what_comes_first_is_told() -> None:
    large = {
        "name": "a",
        "text": "y" * 10_000,
        "list": [{"x": 1}] * 500,
        **{f"label-{n}": n for n in range(500)},
    }
    told = fitted({}, "items", [large, "y"], limit=500)
    assert 200 < tokens(told) <= 500
    (shown,) = told["items"]
    assert (shown["name"], shown["text"], shown["label-3"]) == ("a", "y" * 100 + "…", 3)
    assert (shown["list"][-1], shown["…"]) == ("… 480 more", "483 more")
    assert told["left_out"].startswith("1 more")
    (least,) = fitted({}, "items", [{"x": ["z" * 900] * 900, "y": None}], limit=10)["items"]
    assert least == {"x": [*["z" * 20 + "…"] * 5, "… 895 more"], "y": None}


def test_a_limit_is_bounded_too() -> None:
    told = fitted({}, "items", (str(number) * 100 for number in range(10_000)), limit=10**9)
    assert 49_000 < tokens(told) < 51_000


def test_tokens_are_counted_rather_too_many() -> None:
    assert tokens("abc") == 2
