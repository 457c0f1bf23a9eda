"""`kstream log export`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kstream.cli import main

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"
GOLDEN = Path(__file__).parents[2] / "logs" / "formats" / "format-4.db"

MAIN = "from kstream.cli import main; main()"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["log", *map(str, arguments)])


@pytest.mark.parametrize("source", [INCIDENT, GOLDEN])
@pytest.mark.parametrize("span", [[], ["--from", "+10s", "--to", "-5s"], ["--from", "-0s"], ["--to", "+0s"]])
def test_an_export_that_is_imported_is_exported_as_the_same_bytes(
    tmp_path: Path, source: Path, span: list[str]
) -> None:
    content = source.read_bytes()
    first = run("export", source, *span)
    assert first.exit_code == 0
    (tmp_path / "x.ndjson").write_bytes(first.stdout_bytes)
    assert run("import", tmp_path / "x.ndjson", tmp_path / "y.db").exit_code == 0
    assert run("export", tmp_path / "y.db").stdout_bytes == first.stdout_bytes
    assert run("verify", tmp_path / "y.db").exit_code == 0
    assert source.read_bytes() == content


def test_its_events_are_those_that_the_log_has(tmp_path: Path) -> None:
    assert run("export", INCIDENT, "-o", tmp_path / "x.ndjson", "--from", "seq:300").stdout == ""
    header, *lines = [json.loads(line) for line in (tmp_path / "x.ndjson").read_text().splitlines()]
    objects = header["start"]["objects"]
    told = [
        json.loads(line)
        for line in run("events", INCIDENT, "--from", "seq:300", "-o", "json").stdout.splitlines()
    ]
    same = ("seq", "action", "kind", "namespace", "name", "uid", "data")
    assert [{key: each[key] for key in same} for each in lines[objects:]] == [
        {key: each.get(key, "") for key in same} for each in told
    ]
    assert (header["kstream"], header["start"]["seq"], header["events"]) == ("log", 300, 239)
    assert (tmp_path / "x.ndjson").stat().st_mode & 0o777 == 0o600


def test_what_is_there_is_replaced_only_with_force_and_the_log_itself_never(tmp_path: Path) -> None:
    out = tmp_path / "x.ndjson"
    out.write_text("before")
    refused = run("export", INCIDENT, "-o", out)
    assert (refused.exit_code, out.read_text()) == (2, "before")
    assert "it is there already; give another name, or --force" in refused.stderr
    assert run("export", INCIDENT, "-o", out, "--force").exit_code == 0
    assert out.read_text().startswith('{"kstream":"log"')
    content = INCIDENT.read_bytes()
    assert "it is what is read" in run("export", INCIDENT, "-o", INCIDENT, "--force").stderr
    assert INCIDENT.read_bytes() == content


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, of Linux")
def test_a_device_and_a_pipe_are_written_as_they_are(tmp_path: Path) -> None:
    full = run("export", INCIDENT, "-o", "/dev/full")
    assert (full.exit_code, "No space left on device" in full.stderr) == (6, True)
    assert run("export", INCIDENT, "-o", "/dev/null").exit_code == 0
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "log", "export", str(INCIDENT), "-o", str(tmp_path / "pipe")]
    ) as writer:
        with (tmp_path / "pipe").open("rb") as reader:
            told = reader.read()
        assert writer.wait() == 0
    assert told == run("export", INCIDENT).stdout_bytes


def test_a_reader_that_reads_no_further_ends_it_quietly() -> None:
    done = subprocess.run(
        [
            "sh",
            "-c",
            f"{sys.executable} -c '{MAIN}' log export {INCIDENT} | head -n 1",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
