"""What all forms of import share."""

from __future__ import annotations

import pytest

from kstream.core.errors import ConfigError
from kstream.core.imports import foreign
from kstream.core.imports.foreign import Left, Line, Versions, by_time, seconds, version_of
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


def change(version: str, verb: Verb = Verb.MODIFIED, uid: str = "u") -> WatchEvent:
    return WatchEvent(verb, ObjectKey(Kind.NODE, "", "n", uid), version, 0.0, b"{}")


def test_of_two_tellings_the_one_with_the_smaller_version_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign, "GONE", 1)
    versions = Versions()
    told = [
        (change("7", Verb.ADDED), False),
        (change("6"), True),
        (change("7"), False),
        (change("7", uid="other"), False),
        (change("odd"), False),  # says nothing, and what is known stays known
        (change("٣"), False),
        (change("9", Verb.DELETED), False),
        (change("8"), True),  # also of one that is gone
        (change("10", Verb.ADDED), False),  # it was out of sight of a selector
        (change("9"), True),
        (change("12", Verb.DELETED), False),
        (change("12", Verb.DELETED, "other"), False),  # one is remembered
        (change("11", uid="other"), True),
        (change("1"), False),
    ]
    assert [versions.is_old(each) for each, _ in told] == [old for _, old in told]
    assert (version_of(change("10")), version_of(change("-1")), version_of(change(""))) == (10, 0, 0)


def test_changes_are_merged_by_their_time() -> None:
    assert by_time(WatchEvent(Verb.ADDED, ObjectKey(Kind.NODE, "", "n", "u"), "", 7.5, b"{}")) == 7.5
