"""`kstream log import`."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.cli import main
from kstream.logs.lock import WriterLock
from tests.logs.facts import as_format, history, shown
from tests.logs.files import contents, is_whole, state_at, stored

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"


def run(*arguments: str | Path, given: bytes | None = None) -> Result:
    return CliRunner().invoke(main, ["log", *map(str, arguments)], input=given)


EXPORT = run("export", INCIDENT).stdout_bytes


def test_the_log_is_what_was_exported(tmp_path: Path) -> None:
    out = tmp_path / "log.db"
    result = run("import", "-", out, "-o", "json", given=EXPORT)
    assert json.loads(result.stdout) == {
        "log": str(out),
        "objects": 0,
        "events": 539,
        "first": 1,
        "last": 539,
        "bytes": out.stat().st_size,
    }
    assert contents(out) == contents(INCIDENT)
    assert os.listdir(tmp_path) == ["log.db"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1200), st.integers(1, 1300), st.integers(1, 5), st.integers(1, 50))
def test_whatever_a_log_holds_its_export_is_imported_as_a_log_of_the_same_export(
    count: int, before: int, number: int, seed: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, copy = Path(folder, "log.db"), Path(folder, "copy.db")
        stored(
            source, history(count, seed=seed), before=before if number > 1 else 1
        )  # format 1 knew no retention
        if number < 5:
            as_format(source, number)
        first = run("export", source)
        assert run("import", "-", copy, given=first.stdout_bytes).exit_code == 0
        assert run("export", copy).stdout_bytes == first.stdout_bytes
        assert is_whole(copy)
        assert state_at(copy, count).seq == state_at(source, count).seq == count
        assert shown(state_at(copy, count)) == shown(state_at(source, count))
        for command in ("redact", "merge"):
            assert run(command, source, "-o", Path(folder, command)).exit_code == 0
            assert is_whole(Path(folder, command))


def test_a_person_reads_what_was_made(tmp_path: Path) -> None:
    (tmp_path / "x.ndjson").write_bytes(run("export", INCIDENT, "--from", "seq:530").stdout_bytes)
    out = tmp_path / "log.db"
    said = run("import", tmp_path / "x.ndjson", out).stdout
    objects = json.loads((tmp_path / "x.ndjson").read_text().partition("\n")[0])["start"]["objects"]
    size = f"{out.stat().st_size:,}"
    assert said == f"{out}: 9 events, 531 to 539, after a state of {objects} objects; {size} bytes\n"
    (tmp_path / "y.ndjson").write_bytes(run("export", INCIDENT, "--from", "-0s").stdout_bytes)
    assert (
        "log2.db: no event, the state after event 539; "
        in run("import", tmp_path / "y.ndjson", tmp_path / "log2.db").stdout
    )


@pytest.mark.parametrize(
    "given", [b"", b"no json", EXPORT[:-1000], EXPORT + b"{}\n", EXPORT.replace(b"MODIFIED", b"ADDED", 1)]
)
def test_of_what_is_no_export_no_log_is_made(tmp_path: Path, given: bytes) -> None:
    result = run("import", "-", tmp_path / "log.db", given=given)
    assert result.exit_code == 3
    assert "stdin: line " in result.stderr
    assert result.stderr.endswith("; export the log again\n")
    assert os.listdir(tmp_path) == []


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    result = run("import", tmp_path / "none", tmp_path / "log.db")
    assert (result.exit_code, os.listdir(tmp_path)) == (3, [])
    assert "it cannot be read (No such file or directory); check the path" in result.stderr


def test_what_is_there_or_written_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "log.db"
    out.write_text("before")
    assert "it is there already" in run("import", "-", out, given=EXPORT).stderr
    lock = WriterLock(out)
    assert "another kstream writes this event log" in run("import", "-", out, "--force", given=EXPORT).stderr
    lock.release()
    assert out.read_text() == "before"
    assert "it is what is read" in run("import", out, out, "--force").stderr
    assert run("import", "-", out, "--force", given=EXPORT).exit_code == 0
    assert contents(out) == contents(INCIDENT)
