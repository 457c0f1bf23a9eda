"""`kstream log merge`."""

from __future__ import annotations

import json
import os
from pathlib import Path

from click.testing import CliRunner, Result

from kstream.cli import main
from tests.logs.files import contents

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["log", *map(str, arguments)])


def part(out: Path, after: int, upto: int) -> Path:
    assert run("cut", INCIDENT, "-o", out, "--from", f"seq:{after}", "--to", f"seq:{upto}").exit_code == 0
    return out


def test_what_was_cut_is_one_again(tmp_path: Path) -> None:
    out = tmp_path / "out.db"
    parts = [
        part(tmp_path / f"{after}.db", after, upto) for after, upto in ((250, 539), (0, 200), (150, 250))
    ]
    before = [each.read_bytes() for each in parts]
    done = run("merge", *parts, "-o", out, "--json")
    assert json.loads(done.stdout) == {
        "log": str(out),
        "objects": 0,
        "events": 539,
        "first": 1,
        "last": 539,
        "bytes": out.stat().st_size,
    }
    assert contents(out) == contents(INCIDENT)
    assert [each.read_bytes() for each in parts] == before
    assert sorted(os.listdir(tmp_path)) == ["0.db", "150.db", "250.db", "out.db"]


def test_what_does_not_fit_makes_no_file(tmp_path: Path) -> None:
    parts = [part(tmp_path / f"{after}.db", after, upto) for after, upto in ((0, 100), (120, 200))]
    done = run("merge", *parts, "-o", tmp_path / "out.db")
    assert (done.exit_code, (tmp_path / "out.db").exists()) == (6, False)
    assert "it begins with event 121, and what is before it ends with 100" in done.stderr
    assert run("merge", "-o", tmp_path / "out.db").exit_code == 2


def test_none_of_them_is_written(tmp_path: Path) -> None:
    parts = [part(tmp_path / f"{after}.db", after, upto) for after, upto in ((0, 100), (100, 200))]
    done = run("merge", *parts, "-o", parts[1], "--force")
    assert (done.exit_code, "it is what is read" in done.stderr) == (2, True)


def test_redacted_logs_of_one_key_are_of_one_history(tmp_path: Path) -> None:
    parts = []
    for after, upto in ((0, 300), (280, 539)):
        log, out = part(tmp_path / f"{after}.db", after, upto), tmp_path / f"{after}-redacted.db"
        assert run("redact", log, "-o", out, "--key", "0123456789abcdef").exit_code == 0
        parts.append(out)
    assert run("merge", *parts, "-o", tmp_path / "out.db").exit_code == 0
    assert run("redact", INCIDENT, "-o", tmp_path / "whole.db", "--key", "0123456789abcdef").exit_code == 0
    assert contents(tmp_path / "out.db")["events"] == contents(tmp_path / "whole.db")["events"]
