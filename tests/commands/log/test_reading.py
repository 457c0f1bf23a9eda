"""What the commands of `kstream log` have in common."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from kstream.cli import main
from kstream.commands.log.reading import table
from kstream.logs.sqlite import SqliteLog

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"


@pytest.mark.parametrize(
    ("point", "says"),
    [
        ("seq:540", "--at: 'seq:540': the last one is seq:539"),
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


@pytest.mark.parametrize(
    ("point", "head"),
    [
        ("+10h", "2026-11-22T21:03:17.656Z  after event 539: 4 nodes,"),
        ("-10h", "2026-11-22T20:56:36.336Z  before the first event, of which nothing is known: 0 nodes,"),
        ("seq:0", "2026-11-22T20:56:36.336Z  before the first event, of which nothing is known: 0 nodes,"),
    ],
)
def test_a_moment_outside_of_the_recording_is_told_as_the_end_that_it_is(point: str, head: str) -> None:
    result = CliRunner().invoke(main, ["log", "state", str(INCIDENT), "--at", point])
    assert (result.exit_code, result.stdout.startswith(head)) == (0, True)


@pytest.fixture
def trimmed(tmp_path: Path) -> Path:
    """Without its first 493 events."""
    path = Path(shutil.copy(INCIDENT, tmp_path / "trimmed.db"))

    async def trim() -> None:
        log = await SqliteLog.open(path)
        await log.trim(494)
        await log.close()

    asyncio.run(trim())
    return path


@pytest.mark.parametrize(
    "command",
    [
        ["log", "state", "--at", "2026-11-22T20:57:00Z"],
        ["log", "state", "--at", "seq:5"],
        ["log", "diff", "--from", "-10m"],
        ["log", "events", "--from", "seq:5"],
        ["log", "events", "--to", "seq:5"],
        ["replay", "--port", "0", "--from", "seq:5"],
        ["replay", "--port", "0", "--to", "2026-11-22T20:57:00Z"],
    ],
)
def test_what_retention_has_dropped_is_refused_by_its_option(trimmed: Path, command: list[str]) -> None:
    at = command.index(next(word for word in command if word in ("--at", "--from", "--to")))
    result = CliRunner().invoke(main, [*command, str(trimmed)])
    assert (result.exit_code, result.stdout) == (6, "")
    begins = "the log begins at 494, 2026-11-22T21:02:39.046Z"
    assert f"Error: {command[at]}: '{command[at + 1]}' is no longer kept: {begins}" in result.stderr


def test_the_state_that_a_trimmed_log_begins_with_has_its_own_time(trimmed: Path) -> None:
    result = CliRunner().invoke(main, ["log", "state", str(trimmed), "--at", "seq:493"])
    whole = CliRunner().invoke(main, ["log", "state", str(INCIDENT), "--at", "seq:493"])
    assert result.stdout == whole.stdout != ""


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


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """In one event, which is of another object than those that are asked for."""
    path = Path(shutil.copy(INCIDENT, tmp_path / "damaged.db"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE events SET name = 'another' WHERE seq = 275")
    return path


def log_command(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["log", *words])
    return result.exit_code, result.stdout, result.stderr


def test_the_events_of_a_damaged_log_are_told_up_to_the_damage_and_after_it(damaged: Path) -> None:
    whole = log_command("events", str(INCIDENT))[1].splitlines()
    code, told, said = log_command("events", str(damaged))
    assert (code, told.splitlines()) == (6, whole[:274])
    assert said.startswith(f"Error: {damaged}: the event log is damaged: event 275 is not as it was written")
    assert "--from seq:275 reads what comes after it" in said
    assert log_command("events", str(damaged), "--from", "seq:275") == (0, "\n".join([*whole[275:], ""]), "")


def test_the_states_of_a_damaged_log_that_do_not_need_the_damage_are_told(damaged: Path) -> None:
    for at in ("seq:274", "+1m"):
        assert log_command("state", str(damaged), "--at", at) == log_command(
            "state", str(INCIDENT), "--at", at
        )
    code, told, said = log_command("state", str(damaged), "--at", "seq:275")
    assert (code, told) == (6, "")
    assert f"{damaged}: the event log is damaged: event 275" in said


def test_the_history_of_an_object_is_told_unless_it_is_what_is_damaged(damaged: Path) -> None:
    whole = log_command("history", str(INCIDENT), "node/node-2")
    assert log_command("history", str(damaged), "node/node-2") == whole
    with closing(sqlite3.connect(damaged)) as connection:
        (uid,) = connection.execute("SELECT uid FROM events WHERE seq = 275").fetchone()
    code, told, said = log_command("history", str(damaged), uid)
    assert (code, told) == (6, "")
    assert "event 275 is not as it was written" in said


def test_what_a_damaged_log_is_of_is_told_all_the_same(damaged: Path) -> None:
    code, told, said = log_command("info", str(damaged), "-o", "json")
    whole = json.loads(log_command("info", str(INCIDENT), "-o", "json")[1])
    counted = ("nodes", "pods", "namespaces")
    expected = {name: None if name in counted else value for name, value in whole.items()}
    assert (code, json.loads(told) | {"log": whole["log"]}) == (6, expected)
    assert "event 275" in said
    assert "pods        unknown" in log_command("info", str(damaged))[1]


def test_an_end_that_is_damaged_is_in_nobodys_way(tmp_path: Path) -> None:
    path = Path(shutil.copy(INCIDENT, tmp_path / "damaged.db"))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE events SET name = 'another' WHERE seq IN (1, 539)")
    code, told, _ = log_command("events", str(path), "--from", "seq:1", "--to", "seq:538")
    assert (code, len(told.splitlines())) == (0, 537)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("state", "(nothing was recorded: there is no state)"),
        ("events", "(no such event is in the log)"),
        ("diff", "(nothing is different between these moments)"),
    ],
)
def test_an_empty_log_says_to_people_that_it_is_one(tmp_path: Path, command: str, said: str) -> None:
    async def make() -> None:
        await (await SqliteLog.open(tmp_path / "log.db")).close()

    asyncio.run(make())
    assert log_command(command, str(tmp_path / "log.db")) == (0, "", f"{said}\n")


def test_an_object_that_nothing_happened_to_since_the_log_begins_is_said_to_be_there(trimmed: Path) -> None:
    code, told, said = log_command("history", str(trimmed), "node/node-1")
    assert (code, told) == (0, "")
    assert said == "(it was there all the time: nothing happened to it since the log begins)\n"
    code, told, said = log_command("history", str(trimmed), "node/no-such-node")
    assert (code, told) == (2, "")
