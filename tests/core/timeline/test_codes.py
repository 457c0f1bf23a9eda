"""An event in one byte."""

from __future__ import annotations

from kstream.core.timeline.codes import BAD, CODES, MEANINGS, UNREADABLE, WAS_BAD, is_added
from kstream.core.timeline.events import Kind, Verb


def test_every_kind_and_verb_has_a_code_and_every_code_a_meaning() -> None:
    assert {(Kind(kind), Verb(verb)): code for (kind, verb), code in CODES.items()} == {
        (kind, verb): code for code, (kind, verb, _) in MEANINGS.items() if code < WAS_BAD
    }
    assert len(MEANINGS) == 4 * len(CODES) == 36
    assert CODES["pod", "MODIFIED"] == 0
    assert UNREADABLE not in MEANINGS


def test_what_added_an_object_is_told_by_its_code() -> None:
    assert {verb for (_, verb), code in CODES.items() if is_added(code | BAD)} == {"ADDED"}


def test_a_code_tells_by_how_many_more_objects_are_bad() -> None:
    assert [MEANINGS[code][2] for code in (0, BAD, WAS_BAD, WAS_BAD | BAD)] == [0, 1, -1, 0]
