"""Text of others, made safe to show: what would move a cursor, turn a line round or hide in it becomes visible.

Names, messages and headers come from whoever may write them. In a terminal or among the lines of a log a control
character takes the line over, and a bidirectional or zero-width one makes it say what it does not.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

_UNSAFE: Final = (
    r"\x7f-\x9f\u2028\u2029\ud800-\udfff"  # DEL and C1, ends of lines, halves of characters
    # Formats, Unicode's category Cf: bidirectional, zero width, soft hyphen, tags.
    r"\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    r"\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff"
    # Letters and marks that have no shape: fillers, joiners, selectors.
    r"\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0"
)
_IN_TEXT: Final = re.compile(rf"[\x00-\x1f{_UNSAFE}]")
_IN_JSON: Final = re.compile(rf"[{_UNSAFE}]")


def visible(text: str) -> str:
    """`text` on one line, with `\\u202e` for each character that could deceive whoever reads it."""
    return _IN_TEXT.sub(_escaped, text)


def json_text(value: Any, *, indent: int | None = None) -> str:
    """`value` as JSON in which such characters are escaped: as readable as it can be, and the same when it is read."""
    return visible_json(json.dumps(value, ensure_ascii=False, indent=indent))


def visible_json(text: str) -> str:
    """JSON in which such characters are escaped: as it was written otherwise, and the same when it is read."""
    return _IN_JSON.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
