"""Points of a timeline, as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.timepoint import AtSeq, AtTime, parse, timestamp

NOW = 1_750_000_000.0  # 2025-06-15T15:06:40Z


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("2025-06-15T15:06:40Z", AtTime(NOW)),
        ("2025-06-15t15:06:40z", AtTime(NOW)),
        ("2025-06-15 15:06:40Z", AtTime(NOW)),
        ("2025-06-15T17:06:40+02:00", AtTime(NOW)),
        ("2025-06-15T15:06:40.25Z", AtTime(NOW + 0.25)),
        ("2025-06-15t17:06:40.5+02:00", AtTime(NOW + 0.5)),
        ("2025-06-15T15:06:40.123456789Z", AtTime(NOW + 0.123456)),
        ("-5m", AtTime(NOW - 300)),
        ("+90s", AtTime(NOW + 90)),
        ("-1h30m", AtTime(NOW - 5400)),
        ("+1.5s", AtTime(NOW + 1.5)),
        ("-250ms", AtTime(NOW - 0.25)),
        ("-2d", AtTime(NOW - 172_800)),
        ("seq:0", AtSeq(0)),
        ("seq:12345", AtSeq(12345)),
    ],
)
def test_points_are_understood(text: str, point: AtTime | AtSeq) -> None:
    assert parse(text, now=NOW) == point


def test_space_around_a_point_is_no_part_of_it() -> None:
    assert parse(" seq:7\n", now=NOW) == AtSeq(7)
    assert parse("seq:" + "9" * 18, now=NOW) == AtSeq(10**18 - 1)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (NOW, "2025-06-15T15:06:40.000Z"),
        (NOW + 0.25, "2025-06-15T15:06:40.250Z"),
        (NOW + 0.0019, "2025-06-15T15:06:40.001Z"),
        (0.0, "1970-01-01T00:00:00.000Z"),
    ],
)
def test_a_timestamp_is_utc_with_the_milliseconds_that_have_passed(time: float, text: str) -> None:
    assert timestamp(time) == text


def test_what_was_written_is_shown_to_its_hundredth_character_with_what_is_possible() -> None:
    with pytest.raises(InvalidMessageError, match="That is no point of a timeline") as refused:
        parse("x" * 101, now=NOW)
    assert refused.value.details == f"at: {'x' * 100!r}: give 2026-01-24T10:00:00Z, -5m, +90s or seq:N"


@pytest.mark.parametrize("text", [" 90s", " 1h30m ", "2026-01-24T10:00:00 01:00"])
def test_a_plus_that_a_url_took_for_a_space_is_told(text: str) -> None:
    with pytest.raises(InvalidMessageError) as refused:
        parse(text, now=0)
    assert refused.value.details == f"at: {text!r}: in a URL, write + as %2B"
    with pytest.raises(InvalidMessageError) as refused:
        parse("2025-13-15T15:06:40Z", now=NOW)
    assert refused.value.details.startswith("at: '2025-13-15T15:06:40Z': no such moment (")


@pytest.mark.parametrize(
    "text",
    ["", "5m", "-5", "-m", "-5x", "seq:", "seq:-1", "seq:1.5", "2025-06-15", "2025-06-15T15:06:40",
     "2025-13-15T15:06:40Z", "2025-06-15T25:06:40Z", "now", "seq:" + "9" * 40, "-\u0665m",
     "+" + "9" * 400 + "d", "-9999999d", "+99999999d"],
)  # fmt: skip
def test_what_is_no_point_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidMessageError) as refused:
        parse(text, now=NOW, field="from")
    assert refused.value.details.startswith("from: ")


@given(st.text(max_size=40))
def test_any_text_is_a_point_or_refused(text: str) -> None:
    try:
        point = parse(text, now=NOW)
    except InvalidMessageError:
        return
    assert isinstance(point, AtTime | AtSeq)


def test_a_number_that_no_event_can_have_is_named_as_one() -> None:
    with pytest.raises(InvalidMessageError) as refused:
        parse("seq:" + "9" * 19, now=0.0)
    assert refused.value.details.endswith("no event has a number of more than 18 digits")
