"""`kstream log verify`."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner

from kstream.cli import main

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"


def test_a_log_that_is_whole_is_so_in_every_part() -> None:
    result = CliRunner().invoke(main, ["log", "verify", str(INCIDENT)])
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [f"{what}: as written" for what in ("structure", "meta and terms", "events", "keyframes", "index")],
    )


def test_what_is_damaged_is_named_and_the_file_is_left_alone(tmp_path: Path) -> None:
    log = Path(shutil.copy(INCIDENT, tmp_path / "log.db"))
    with closing(sqlite3.connect(log)) as connection, connection:
        connection.execute("UPDATE events SET name = 'another' WHERE seq = 100")
    content = log.read_bytes()
    result = CliRunner().invoke(main, ["log", "verify", str(log), "-o", "json"])
    findings = {each["what"]: each["wrong"] for each in json.loads(result.stdout)["findings"]}
    assert result.exit_code == 6
    assert "the event log is damaged (events)" in result.stderr
    assert "event 100 is not as it was written" in findings["events"]
    assert findings["structure"] == findings["meta and terms"] == ""
    assert log.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == ["log.db"]
