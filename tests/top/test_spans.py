"""Pieces of a line."""

from __future__ import annotations

import pytest

from kstream.core.timeline.wellness import Badness
from kstream.top.spans import LETTERS, TONES, WORDS, Span, cut
from tests.top.drawn import text_of


@pytest.mark.parametrize(
    ("width", "text"), [(6, "kettle"), (9, "kettle"), (5, "kett…"), (1, "…"), (0, ""), (-1, "")]
)
def test_what_is_cut_ends_with_a_sign_of_it(width: int, text: str) -> None:
    assert cut("kettle", width) == text


def test_each_badness_has_a_tone_a_letter_and_a_word() -> None:
    assert len(TONES) == len(set(LETTERS)) == len(WORDS) == len(Badness)
    assert text_of([Span("a"), Span("b", "bad")]) == "ab"
