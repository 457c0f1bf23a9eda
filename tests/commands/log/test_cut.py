"""`kstream log cut`: in the span, the log that is made and the original are one."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.cli import main
from tests.logs.facts import as_format, history, shown
from tests.logs.files import is_whole, state_at, stored, table

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"
GOLDEN = Path(__file__).parents[2] / "logs" / "formats" / "format-4.db"
MAIN = "from kstream.cli import main; main()"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["log", *map(str, arguments)])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1500), st.integers(0, 1500), st.integers(1, 1400), st.integers(1, 5))
def test_every_state_in_the_span_is_that_of_the_original(
    one: int, other: int, before: int, number: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "log.db"), Path(folder, "out.db")
        before = before if number > 1 else 1  # format 1 knew no retention
        stored(source, history(1500), before=before)
        if number < 5:
            as_format(source, number)
        content = source.read_bytes()
        first, last = sorted((max(one, before - 1), max(other, before - 1)))
        done = run("cut", source, "-o", out, "--from", f"seq:{first}", "--to", f"seq:{last}", "--json")
        assert done.exit_code == 0
        assert json.loads(done.stdout) == {
            "log": str(out),
            "objects": len(table(out, "baseline")),
            "events": last - first,
            "first": first + 1,
            "last": last,
            "bytes": out.stat().st_size,
        }
        assert is_whole(out)
        for seq in {first, last, *random.Random(1).sample(range(first, last + 1), min(5, last + 1 - first))}:
            assert shown(state_at(out, seq)) == shown(state_at(source, seq))
        assert source.read_bytes() == content
        assert sorted(os.listdir(folder)) == ["log.db", "out.db"]


def test_what_there_was_and_what_changed_is_told_of_the_span_as_of_the_original(tmp_path: Path) -> None:
    out = tmp_path / "out.db"
    assert run("cut", INCIDENT, "-o", out, "--from", "+1m", "--to", "+2m").exit_code == 0
    info, whole = (json.loads(run("info", log, "-o", "json").stdout) for log in (out, INCIDENT))
    assert [info[key] for key in ("cluster", "epoch")] == [whole[key] for key in ("cluster", "epoch")]
    span = ["--from", f"seq:{info['first'] - 1}", "--to", f"seq:{info['last']}"]
    for command in ("events", "diff"):
        assert run(command, out, *span).stdout == run(command, INCIDENT, *span).stdout != ""
    at = ["--at", f"seq:{info['last'] - 7}", "-o", "json"]
    assert run("state", out, *at).stdout == run("state", INCIDENT, *at).stdout


def test_nothing_is_gone_on_from_that_the_span_does_not_reach(tmp_path: Path) -> None:
    assert run("cut", INCIDENT, "-o", tmp_path / "a.db", "--to", "seq:538").exit_code == 0
    assert run("cut", INCIDENT, "-o", tmp_path / "b.db", "--from", "seq:538").exit_code == 0
    assert table(tmp_path / "a.db", "versions") == []
    assert table(tmp_path / "b.db", "versions") == table(INCIDENT, "versions")
    assert [row[2] for row in table(tmp_path / "a.db", "terms")] == [1]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--from", "seq:540"], 2, "the last one is seq:539"),
        (["--from", "seq:9", "--to", "seq:8"], 2, "the span ends, after event 8, before it begins"),
        (["--from", "noon"], 2, "--from"),
    ],
)
def test_a_span_that_is_none_makes_no_file(
    tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    done = run("cut", INCIDENT, "-o", tmp_path / "out.db", *arguments)
    assert (done.exit_code, os.listdir(tmp_path)) == (code, [])
    assert says in done.stderr


@pytest.mark.parametrize(
    "script",
    [
        "UPDATE events SET body = '{}' WHERE seq = 100",
        "DELETE FROM events WHERE seq = 100",
        "DELETE FROM meta",
        "DROP TABLE events",
        "UPDATE terms SET first = 7",
    ],
)
@pytest.mark.parametrize("command", ["cut", "export", "redact", "merge", "page"])
def test_of_a_damaged_log_no_file_is_made(tmp_path: Path, command: str, script: str) -> None:
    log = Path(shutil.copy(INCIDENT, tmp_path / "log.db"))
    with closing(sqlite3.connect(log)) as connection, connection:
        connection.execute(script)
    content = log.read_bytes()
    done = run(command, log, "-o", tmp_path / "out")
    assert done.exit_code == 6
    assert done.stderr.startswith(f"Error: {log}: the event log is damaged")
    assert (log.read_bytes(), os.listdir(tmp_path)) == (content, ["log.db"])


@pytest.mark.parametrize("limit", [10, 100])
@pytest.mark.parametrize("command", ["cut", "export", "redact", "merge", "page"])
def test_where_no_file_may_be_so_large_none_is_left(tmp_path: Path, limit: int, command: str) -> None:
    out = tmp_path / "out"
    done = subprocess.run(
        ["sh", "-c", f"ulimit -f {limit}; {sys.executable} -c '{MAIN}' log {command} {INCIDENT} -o {out}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 6, done.stderr
    assert f"Error: {out}: " in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("command", ["cut", "page"])
def test_ctrl_c_leaves_nothing(tmp_path: Path, command: str) -> None:
    # Interrupted at the first event that is written.
    script = (
        "import os, signal\nfrom kstream.commands.log import writing\n"
        "def told(events, of, what='events'):\n"
        f"    os.kill(os.getpid(), {int(signal.SIGTERM)})\n    yield from events\n"
        f"writing.told = told\n{MAIN}"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "log", command, str(INCIDENT), "-o", str(tmp_path / "out.db")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr, os.listdir(tmp_path)) == (130, "", [])


def test_a_log_without_an_event_is_cut_too(tmp_path: Path) -> None:
    stored(tmp_path / "log.db", ())
    done = run("cut", tmp_path / "log.db", "-o", tmp_path / "out.db")
    assert (done.exit_code, "no event, the state after event 0" in done.stdout) == (0, True)
    assert is_whole(tmp_path / "out.db")
