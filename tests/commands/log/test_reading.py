"""What the commands of `kstream log` have in common."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from kstream.cli import main
from kstream.commands.log.reading import table

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"


@pytest.mark.parametrize(
    ("point", "says"),
    [
        ("seq:540", "--at seq:540: the log ends with event 539"),
        ("yesterday", "--at: 'yesterday': give 2026-01-24T10:00:00Z"),
        ("2026-13-01T00:00:00Z", "no such moment"),
    ],
)
def test_a_point_that_is_none_is_refused_by_its_option(point: str, says: str) -> None:
    result = CliRunner().invoke(main, ["log", "state", str(INCIDENT), "--at", point])
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


@pytest.mark.parametrize(
    ("point", "seq"),
    [("seq:7", 7), ("+0s", 4), ("-0s", 539), ("2020-01-01T00:00:00Z", 0), ("2030-01-01T00:00:00Z", 539)],
)
def test_a_point_is_the_last_event_at_or_before_it(point: str, seq: int) -> None:
    told = CliRunner().invoke(main, ["log", "state", str(INCIDENT), "--at", point, "-o", "json"]).stdout
    assert json.loads(told)["seq"] == seq


def test_columns_are_as_wide_as_their_widest_cell_and_hide_nothing() -> None:
    assert table(("A", "B"), [("longer", "x"), ("\x1b[1m", "")]) == "A          B\nlonger     x\n\\u001b[1m"


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from kstream.cli import main; main()",
            "log",
            "events",
            str(INCIDENT),
            "-o",
            "json",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    _, said = process.communicate()
    assert (process.returncode, said) == (0, b"")
