"""What all forms of import share."""

from __future__ import annotations

import pytest

from kstream.core.errors import ConfigError
from kstream.core.imports.foreign import Left, Line, by_time, seconds
from kstream.core.timeline.events import Kind, ObjectKey, Verb, WatchEvent


def test_what_is_wrong_is_told_with_its_file_and_its_line() -> None:
    wrong = Line("a.json", 7, b"{").wrong("no JSON")
    assert isinstance(wrong, ConfigError)
    assert str(wrong) == "a.json, line 7: no JSON"


def test_a_time_is_rfc_3339_with_a_zone() -> None:
    assert seconds("1970-01-01T01:00:00.25+01:00") == 0.25
    for wrong in ("1970-01-01T00:00:00", "yesterday"):
        with pytest.raises(ValueError, match=r"zone|Invalid"):
            seconds(wrong)


def test_what_is_left_out_is_counted_by_its_reason() -> None:
    left = Left()
    left.count("a")
    left.count("a")
    assert (dict(left.counts), left.cut) == ({"a": 2}, [])


def test_changes_are_merged_by_their_time() -> None:
    assert by_time(WatchEvent(Verb.ADDED, ObjectKey(Kind.NODE, "", "n", "u"), "", 7.5, b"{}")) == 7.5
