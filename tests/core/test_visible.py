"""What is shown to a person contains nothing that acts on the terminal or hides."""

from __future__ import annotations

import json
import sys
import unicodedata

import pytest

from kstream.core.visible import json_text, visible, visible_json


def test_every_control_format_and_line_end_of_unicode_is_escaped() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            assert visible(char).isascii(), hex(code)
            assert visible(char).isprintable(), hex(code)
            shown = json_text(f"a{char}b")
            assert shown.isascii(), hex(code)
            assert json.loads(shown) == f"a{char}b"


@pytest.mark.parametrize("text", ["", "web-1", "für Ürgün 日本 العربية 😀", 'a "b" \\c', "x\u00a0y"])
def test_what_can_be_read_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert json_text({"name": text}) == json.dumps({"name": text}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", r"a\u001b[2Jb"),
        ("a\nb\r", r"a\u000ab\u000d"),
        ("\x7f\x9b31m", r"\u007f\u009b31m"),
        ("safe\u202egnp.exe", r"safe\u202egnp.exe"),
        ("pay\u200bpal\ufeff", r"pay\u200bpal\ufeff"),
        ("a\U000e0041b", r"a\udb40\udc41b"),
        ("\ud83d", r"\ud83d"),
        ("\u3164\u115f\u034f\ufe0f", r"\u3164\u115f\u034f\ufe0f"),
        ("\u200a\u2010\u2027\u202f\u205f\u2070", "\u200a\u2010\u2027\u202f\u205f\u2070"),
    ],
)
def test_what_deceives_is_shown_by_its_number(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_json_keeps_the_layout_that_it_was_asked_for() -> None:
    assert json_text(["a\u202e", 1], indent=1) == '[\n "a\\u202e",\n 1\n]'
    assert json_text({"a": "\x1b\n"}) == '{"a": "\\u001b\\n"}'


def test_json_that_is_written_already_says_the_same() -> None:
    written = '{"a":1.50,  "b":"x\x9b31m\u202ey"}'
    shown = visible_json(written)
    assert shown == r'{"a":1.50,  "b":"x\u009b31m\u202ey"}'
    assert json.loads(shown) == json.loads(written)
