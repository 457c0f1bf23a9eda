"""A line of the glance, before a terminal has it: pieces of text, each with a tone by its name."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias


class Span(NamedTuple):
    """`text` has no character that a terminal would act on. `tone`: "", good, wait, pressed, bad, title, quiet, chosen;
    `under` that of its background."""

    text: str
    tone: str = ""
    under: str = ""


Line: TypeAlias = list[Span]

TONES: Final = ("good", "wait", "pressed", "bad")
"""By Badness."""

LETTERS: Final = ("·", "w", "p", "X")
"""By Badness: a colour alone tells nothing to many, and on some terminals."""


WORDS: Final = ("well", "waiting", "pressed", "failing")
"""By Badness."""


def cut(text: str, width: int) -> str:
    """Its first `width` characters; where something is left out the last of them is `…`."""
    return text if len(text) <= width else f"{text[: max(width - 1, 0)]}…"[:width]
