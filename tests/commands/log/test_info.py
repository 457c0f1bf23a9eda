"""`kstream log info`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from click.testing import CliRunner, Result

from kstream.cli import main
from kstream.logs.sqlite import SqliteLog

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"


def info(*options: str) -> Result:
    return CliRunner().invoke(main, ["log", "info", str(INCIDENT), *options])


def test_what_a_log_is_of_is_told_to_people_and_to_programs() -> None:
    told = json.loads(info("-o", "json").stdout)
    assert told == {
        "log": str(INCIDENT),
        "bytes": INCIDENT.stat().st_size,
        "cluster": "incident",
        "version": "v1.36.0",
        "epoch": "13c3243e17d54c2e9b78bd09b9403f9b",
        "terms": 2,
        "first": 1,
        "last": 539,
        "events": 539,
        "from": "2026-11-22T20:56:36.336Z",
        "to": "2026-11-22T21:03:17.656Z",
        "nodes": 4,
        "pods": 11,
        "namespaces": 5,
    }
    lines = info().stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(told)
    assert lines[-1].split() == ["namespaces", "5"]


def test_a_file_that_is_not_there_or_no_log_is_an_error_of_the_log(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("nothing of ours" * 100)
    (tmp_path / "empty").touch()
    for path, says in (
        (tmp_path / "none", "there is no such event log"),
        (tmp_path / "text", "it is not an SQLite file; give the path of a log\n"),
        (tmp_path / "empty", "it is empty; give the path of a log\n"),
        (tmp_path, "it is a folder; give the path of a log\n"),
    ):
        result = CliRunner().invoke(main, ["log", "info", str(path)])
        assert (result.exit_code, result.stdout) == (6, "")
        assert says in result.stderr


def test_an_empty_log_has_no_times(tmp_path: Path) -> None:
    async def make() -> None:
        await (await SqliteLog.open(tmp_path / "log.db")).close()

    asyncio.run(make())
    told = json.loads(
        CliRunner().invoke(main, ["log", "info", str(tmp_path / "log.db"), "-o", "json"]).stdout
    )
    assert (told["events"], told["from"], told["to"], told["cluster"]) == (0, None, None, "unknown")
    assert (told["first"], told["last"]) == (None, None)
    lines = CliRunner().invoke(main, ["log", "info", str(tmp_path / "log.db")]).stdout.splitlines()
    assert [line.split() for line in lines if line.startswith(("first", "last", "from", "to "))] == [
        [name, "none"] for name in ("first", "last", "from", "to")
    ]
