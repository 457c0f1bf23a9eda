"""What is drawn, as a person reads it."""

from __future__ import annotations

from kstream.top.spans import Line


def text_of(line: Line) -> str:
    return "".join(span.text for span in line)
