"""`kstream log timeline`."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kstream.cli import main

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"


def timeline(*options: str) -> Result:
    return CliRunner().invoke(main, ["log", "timeline", str(INCIDENT), *options])


def test_each_bucket_is_a_line_with_the_events_that_prove_it() -> None:
    lines = timeline("--buckets", "8").stdout.splitlines()
    assert lines[0].split() == ["UNTIL", "SEQ", "ADDED", "MODIFIED", "DELETED", "WORSE", "BETTER", "BAD"]
    assert lines[1].split()[1:] == ["1-227", "47", "166", "14"]
    assert len(lines) == 9


def test_for_programs_each_is_a_json_object_a_line() -> None:
    told = [
        json.loads(line)
        for line in timeline("-o", "json", "-n", "shop", "--kinds", "pods").stdout.splitlines()
    ]
    assert len(told) == 20
    assert {kind for each in told for kind in each["counts"]} == {"pods"}
    assert all(before["to"] == each["from"] for before, each in pairwise(told))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--from", "-10s", "--to", "+10s"], "--to +10s is before --from -10s"),
        (["--buckets", "0"], "0 is not in the range"),
        (["-l", "!"], "--selector: "),
    ],
)
def test_what_is_wrong_is_said(options: list[str], says: str) -> None:
    result = timeline(*options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


def test_a_label_that_is_looked_for_among_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kstream.logs.timelines._FOLDED", 5)
    result = timeline("-l", "app=web")
    assert result.exit_code == 2
    assert "narrow `from` and `to`" in result.stderr
