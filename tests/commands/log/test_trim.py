"""`kstream log trim`, and the options that say how much is kept, as a user types them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kstream.cli import main
from kstream.commands.keeping import keep_settings
from kstream.core.errors import LogBusyError, UsageError
from kstream.core.timeline.retention import Keep
from kstream.logs.sqlite import SqliteLog
from tests.logs.facts import churn, shown

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return Path(shutil.copy(INCIDENT, tmp_path / "incident.db"))


def trimmed(log: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["log", "trim", str(log), *options])


def pods(log: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(log)) as connection:
        return connection.execute("SELECT * FROM pods").fetchall()


def seqs(log: Path) -> list[int]:
    with closing(sqlite3.connect(log)) as connection:
        return [seq for (seq,) in connection.execute("SELECT seq FROM events ORDER BY seq")]


def test_the_last_minute_of_a_recording_is_kept(log: Path) -> None:
    before = log.stat().st_size
    result = trimmed(log, "--keep-for", "1m")
    after = log.stat().st_size
    assert result.exit_code == 0
    assert result.stdout == (
        f"{log}: 493 events dropped, left are those from 494 to 539; {before:,} bytes before, {after:,} after\n"
    )
    assert after <= before / 3
    assert seqs(log) == list(range(494, 540))
    with closing(sqlite3.connect(log)) as connection:
        first, last = connection.execute("SELECT min(time), max(time) FROM events").fetchone()
    assert 0 < last - first < 60
    assert pods(log) == pods(INCIDENT)
    assert [file.name for file in log.parent.iterdir()] == [log.name]


def test_a_recording_is_trimmed_to_a_size_and_programs_can_read_how(log: Path) -> None:
    result = trimmed(log, "--keep-size", "200kB", "-o", "json")
    said = json.loads(result.stdout)
    assert said == {
        "log": str(log),
        "dropped": said["oldest"] - 1,
        "oldest": seqs(log)[0],
        "head": 539,
        "bytes_before": INCIDENT.stat().st_size,
        "bytes_after": log.stat().st_size,
        "fits": True,
    }
    assert 150_000 < said["bytes_after"] <= 200_000
    assert pods(log) == pods(INCIDENT)
    again = json.loads(trimmed(log, "--keep-size", "200kB", "-o", "json").stdout)
    assert (again["dropped"], again["oldest"]) == (0, said["oldest"])


def test_a_size_that_the_state_alone_exceeds_leaves_the_state_and_says_so(log: Path) -> None:
    result = trimmed(log, "--keep-size", "1kB")
    assert result.exit_code == 0
    assert "539 events dropped, none is left, but the state" in result.stdout
    assert "the state alone takes more than 1000 bytes" in result.stderr
    assert pods(log) == pods(INCIDENT)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "nothing says what to keep; give --keep-for 1h or --keep-size 500MB"),
        (["--keep-for", "soon"], "--keep-for: 'soon' is not a span of time: write"),
        (["--keep-for", "0s"], "--keep-for: '0s' would keep nothing: give more"),
        (["--keep-size", "5 elephants"], "--keep-size: '5 elephants' is not a size: write 500MB, 2GiB"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage_and_drops_nothing(
    log: Path, options: list[str], said: str
) -> None:
    result = trimmed(log, *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert log.read_bytes() == INCIDENT.read_bytes()


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    result = trimmed(tmp_path / "none.db", "--keep-for", "1h")
    assert (result.exit_code, list(tmp_path.iterdir())) == (6, [])
    assert "there is no such event log" in result.stderr


def test_of_an_empty_log_no_state_is_said_to_be_left(tmp_path: Path) -> None:
    async def make() -> None:
        await (await SqliteLog.open(tmp_path / "log.db")).close()

    asyncio.run(make())
    result = trimmed(tmp_path / "log.db", "--keep-for", "1h")
    assert (result.exit_code, "0 events dropped, there was none;" in result.stdout) == (0, True)


def test_a_log_that_is_written_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "log.db"

    async def meanwhile() -> Result:
        log = await SqliteLog.open(path)
        await log.append(list(churn(100)))
        try:
            return await asyncio.to_thread(trimmed, path, "--keep-for", "1s")
        finally:
            await log.close()

    result = asyncio.run(meanwhile())
    assert result.exit_code == LogBusyError.exit_code == 6
    assert "another kstream writes this event log" in result.stderr
    assert len(seqs(path)) == 100


def test_the_options_may_come_from_the_environment(log: Path) -> None:
    result = CliRunner().invoke(main, ["trim", str(log)], env={"KSTREAM_KEEP_FOR": "1m"})
    assert result.exit_code == 0
    assert seqs(log)[0] == 494


def test_a_log_that_nobody_named_has_a_size_unless_told_another() -> None:
    assert keep_settings({"keep_for": None, "keep_size": None}) == Keep()
    assert keep_settings({"keep_for": None, "keep_size": None}, temporary=True) == Keep(size=2**30)
    assert keep_settings({"keep_for": "7d", "keep_size": "5MB"}, temporary=True) == Keep(604_800, 5_000_000)


@pytest.mark.parametrize("command", [["serve", "--log"], ["record"]])
def test_the_commands_that_write_a_log_refuse_a_wrong_amount(command: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [*command, str(tmp_path / "x.db"), "--keep-size", "much"])
    assert list(tmp_path.iterdir()) == []
    assert result.exit_code == UsageError.exit_code
    assert "--keep-size: 'much' is not a size" in result.stderr


async def test_a_log_that_is_only_trimmed_needs_no_journal_on_the_disk_and_begins_no_term(
    tmp_path: Path,
) -> None:
    path = tmp_path / "log.db"
    shutil.copy(INCIDENT, path)
    reader = await SqliteLog.open_read_only(path)
    terms, whole = reader.terms, await reader.state_at(reader.head)
    await reader.close()
    log = await SqliteLog.open(path, only_trim=True)
    await log.trim(400)
    assert set(os.listdir(tmp_path)) <= {"log.db", "log.db.lock"}
    await log.close()
    reader = await SqliteLog.open_read_only(path)
    assert (reader.oldest, reader.terms) == (400, terms)
    assert shown(await reader.state_at(reader.head)) == shown(whole)
    await reader.close()


def _on_a_full_disk(script: str) -> subprocess.CompletedProcess[str]:
    """Run in a place of its own with a small disk at $DISK; skips where no such place can be had."""
    command = f'D=$(mktemp -d) && mount -t tmpfs -o size=2m tmpfs "$D" || exit 99; export DISK=$D; {script}'
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", command],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode in (1, 99) and not done.stdout:
        pytest.skip(f"no disk of its own: {done.stderr}")
    return done


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare, of Linux")
def test_a_log_on_a_full_disk_can_be_trimmed() -> None:
    kstream = f"{sys.executable} -c 'from kstream.cli import main; main()'"
    done = _on_a_full_disk(
        f'cp {INCIDENT} "$DISK/log.db"; head -c 9000000 /dev/zero > "$DISK/rest" 2>/dev/null;'
        f' {kstream} log trim "$DISK/log.db" --keep-for 60s && echo trimmed'
    )
    assert done.stdout.endswith("trimmed\n"), done.stderr
    assert "the disk is full; it is trimmed in place, which must not be interrupted" in done.stderr


def test_the_old_name_is_the_same_command(log: Path, tmp_path: Path) -> None:
    other = Path(shutil.copy(INCIDENT, tmp_path / "other.db"))
    said = [
        CliRunner().invoke(main, [*command, str(path), "--keep-for", "1m"]).stdout.partition(": ")[2]
        for command, path in ((["trim"], log), (["log", "trim"], other))
    ]
    assert said[0] == said[1] != ""
    assert seqs(log) == seqs(other) == list(range(494, 540))
