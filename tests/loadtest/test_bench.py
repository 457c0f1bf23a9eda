from __future__ import annotations

import json

import pytest

from kstream.core.delivery.frames import text_frame
from loadtest.bench.contender import payload, pod
from loadtest.bench.reader import Sample
from loadtest.bench.results import Result, amount, as_json, table


@pytest.mark.parametrize(
    ("ratio", "at_most", "passed"),
    [(2.0, False, True), (0.5, False, False), (0.5, True, True), (2.0, True, False), (None, False, None)],
)
def test_a_goal_is_passed_or_missed_or_not_measured(
    ratio: float | None, at_most: bool, passed: bool | None
) -> None:
    result = Result("name", "1", "2", ratio, 1.0, at_most=at_most)
    assert result.passed is passed
    assert {True: "pass", False: "MISS", None: "skipped"}[passed] in table([result])
    assert json.loads(as_json([result]))[0]["passed"] is passed


def test_the_reader_counts_frames_however_they_are_cut() -> None:
    data = text_frame(b"x" * 400, 0) * 3 + text_frame(b"y" * 70_000, 0) + b"\x89\x00" + text_frame(b"z", 0)
    for size in (1, 7, 500, len(data)):
        sample = Sample()
        for start in range(0, len(data), size):
            sample.feed(data[start : start + size])
        assert (sample.frames, sample.bytes) == (5, len(data)), "a ping is no message"


def test_what_is_sent_is_as_large_as_it_is_said_to_be() -> None:
    assert len(payload(400)) == 400
    assert abs(len(pod(3, 4000)) - 4000) < 200
    assert json.loads(pod(3, 400))["phase"] == "Running"


def test_amounts_are_short() -> None:
    assert (amount(1234567), amount(950.0, "B"), amount(2.5e9)) == ("1.23M", "950B", "2.5G")
