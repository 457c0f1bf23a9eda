"""A line of the log: what it says, in which form, and what never gets into it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from kstream.processlog.lines import FIELDS, Form, Lines, Scalar

AT = 1_769_248_800.25  # 2026-01-24T10:00:00.25Z


def line(form: Form, event: str, *, error: BaseException | None = None, **fields: Scalar) -> str:
    record = logging.LogRecord("kstream.web", logging.WARNING, "f.py", 1, event, (), None)
    record.created = AT
    if error is not None:
        record.exc_info = (type(error), error, error.__traceback__)
    setattr(record, FIELDS, fields)
    return Lines(form, {}).format(record)


def failing(error: Exception) -> Exception:
    """It, with a traceback."""
    try:
        raise error
    except Exception as raised:  # noqa: BLE001 - it is what is told
        return raised


def test_text_is_for_people() -> None:
    assert line(
        "text", "refused", remote="10.0.0.5", status=403, details='Origin: "x"', why=None, odd=""
    ) == (
        "2026-01-24T10:00:00.250Z warning refused remote=10.0.0.5 status=403"
        ' details="Origin: \\\\"x\\\\"" why=null odd=""'.replace("\\\\", "\\")
    )


def test_json_is_one_object_with_the_fields_beside_what_happened() -> None:
    said = line("json", "refused", remote="10.0.0.5", status=403, stale=True, seconds=1.5)
    assert json.loads(said) == {
        "ts": "2026-01-24T10:00:00.250Z",
        "level": "warning",
        "event": "refused",
        "remote": "10.0.0.5",
        "status": 403,
        "stale": True,
        "seconds": 1.5,
    }
    assert list(json.loads(said))[:3] == ["ts", "level", "event"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_acts_on_a_terminal_or_makes_a_second_line(form: Form) -> None:
    evil = "a\x1b[2J\r\nb\x9bc\u202ed\u200be\u2028f\x7f\ud800"
    said = line(form, evil, details=evil)
    assert said.isprintable()
    assert r"\u001b[2J" in said or r"\\u001b[2J" in said
    assert "\\u202e" in said


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "secret",
    [
        "http://user:hunter22@proxy.test:3128",
        "Authorization: Bearer hunter22hunter22",
        "basic aHVudGVyMjI=hunter22",
        "token eyJhbGciOiJSUzI1NiJ9.hunter22.hunter22",
    ],
)
def test_no_secret_is_in_a_line(form: Form, secret: str) -> None:
    assert "hunter22" not in line(form, "fault", details=f"It said {secret} and more")
    assert "hunter22" not in line(form, f"It said {secret}")
    assert "hunter22" not in line(form, "crashed", error=failing(ValueError(secret)))


def test_what_is_long_is_cut_and_what_is_no_number_is_text() -> None:
    said = json.loads(line("json", "x", details="y" * 5000, lag=float("nan")))
    assert (len(said["details"]), said["details"][-1]) == (2000, "…")
    assert said["lag"] == "nan"


def test_a_defect_keeps_its_traceback_and_what_the_system_refused_is_a_field() -> None:
    said: dict[str, Any] = json.loads(line("json", "crashed", error=failing(ValueError("no\x1b")), a=1))
    assert said["traceback"].startswith("Traceback (most recent call last):")
    assert said["traceback"].endswith("ValueError: no\x1b")
    shown = line("text", "crashed", error=failing(ValueError("no\x1b")))
    assert shown.splitlines()[-1] == r"    ValueError: no\u001b"
    assert all(part.isprintable() for part in shown.splitlines())
    assert line("text", "accept", error=failing(OSError(24, "Too many open files"))).endswith(
        'accept error="[Errno 24] Too many open files"'
    )


def test_what_another_library_says_has_its_name() -> None:
    record = logging.LogRecord("aiohttp.client", logging.WARNING, "f.py", 1, "%s left", ("who",), None)
    record.created = AT
    assert Lines("text", {"worker": 7}).format(record) == (
        '2026-01-24T10:00:00.250Z warning "who left" worker=7 logger=aiohttp.client'.replace('"', "")
    )
