"""`kstream log when`."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kstream.cli import main

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"
LOOPS = 'pod.status == "CrashLoopBackOff" && pod.namespace == "shop"'


def when(*options: str) -> Result:
    return CliRunner().invoke(main, ["log", "when", str(INCIDENT), *options])


def test_each_interval_is_a_line_with_the_events_that_prove_it() -> None:
    lines = when(LOOPS).stdout.splitlines()
    assert len(lines) == 12
    assert lines[0] == (
        "pod shop/broken-799984445-w4q6k  2026-11-22T20:57:38.290Z (seq 275) to 2026-11-22T20:57:40.295Z (seq 286)"
    )
    assert lines[-1].endswith("(seq 539) to the end")


def test_for_programs_each_is_a_json_object_a_line() -> None:
    told = [json.loads(line) for line in when(LOOPS, "-o", "json", "--from", "seq:280").stdout.splitlines()]
    assert (told[0]["earlier"], told[0]["from"]["seq"], told[0]["until"]["seq"]) == (True, 280, 286)
    assert told[-1]["until"] is None
    assert "(until then and on)" in when(LOOPS, "--from", "seq:280").stdout


def test_what_was_left_out_is_said_and_can_be_gone_on_with() -> None:
    result = when(LOOPS, "--limit", "2")
    assert len(result.stdout.splitlines()) == 2
    assert "go on with --from seq:292" in result.stderr
    result = when('pod.status != "x"', "--from", "seq:100", "--limit", "3")
    assert "more were so at the beginning already" in result.stderr


def test_an_answer_that_is_found_in_several_looks_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = when('pod.name != "x"')
    monkeypatch.setattr("kstream.logs.searching._READ", -1)
    monkeypatch.setattr("kstream.logs.searching._AT_ONCE", 50)
    assert when('pod.name != "x"').output == whole.output


def test_an_answer_that_is_empty_says_so_to_people() -> None:
    result = when('pod.namespace == "nowhere"')
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "(that was so of no object)\n"
    assert when('pod.namespace == "nowhere"', "-o", "json").output == ""
    assert "that was so of no object" not in when(LOOPS, "--limit", "1").stderr


@pytest.mark.parametrize("question", [["when", 'pod.status == "Error"'], ["timeline"]])
def test_a_text_that_is_none_is_damage_and_is_not_shown(tmp_path: Path, question: list[str]) -> None:
    log = Path(shutil.copy(INCIDENT, tmp_path / "log.db"))
    with closing(sqlite3.connect(log)) as connection, connection:
        connection.execute(
            "UPDATE events SET body = CAST(x'736563726574FF22737461747573223A224572726F7222' AS TEXT) WHERE seq = 275"
        )
    result = CliRunner().invoke(main, ["log", question[0], str(log), *question[1:]])
    assert (result.exit_code, result.stdout) == (6, "")
    assert result.stderr.startswith(f"Error: {log}: the event log is damaged (a text in it is not UTF-8)")
    assert "restore the file from a copy" in result.stderr
    assert "secret" not in result.stderr


def test_what_cannot_be_told_is_said() -> None:
    result = when('pod.labels.nope != "x"')
    assert (result.exit_code, result.stdout) == (0, "")
    assert "it could not be told: there is no 'nope'" in result.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["pod.status =="], "at character 14"),
        (
            ["pod.status == CrashLoopBackOff"],
            "nothing is called 'CrashLoopBackOff'; write \"CrashLoopBackOff\"",
        ),
        (["pod.status"], "not true or false"),
        ([LOOPS, "--from", "-10s", "--to", "+10s"], "--to +10s is before --from -10s"),
    ],
)
def test_what_is_wrong_is_said(options: list[str], says: str) -> None:
    result = when(*options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr
