"""`kstream log import`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kstream.cli import main
from tests.core.imports.making import pod
from tests.recording import SECRET, WIRE

CAPTURE = WIRE / "incident.jsonl.gz"
INCIDENT = WIRE.parent / "incident.db"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["log", *map(str, words)])


def events(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("events", log, "-o", "json").stdout.splitlines()]


def test_a_capture_becomes_the_log_that_kstream_recorded_of_the_same_cluster(tmp_path: Path) -> None:
    log = tmp_path / "a.db"
    done = run("import", "--form", "capture", CAPTURE, log)
    assert done.exit_code == 0, done.output
    assert "539 events from 2026-11-22T20:56:" in done.stdout
    assert "461 that change nothing" in done.stdout
    assert SECRET.encode() not in log.read_bytes()
    told = [(each["action"], each["uid"]) for each in events(log)]
    wanted = [(each["action"], each["uid"]) for each in events(INCIDENT)]
    assert sorted(told, key=str) == sorted(wanted, key=str), "streams are side by side"
    assert run("verify", log).exit_code == 0
    assert json.loads(run("info", log, "-o", "json").stdout)["cluster"] == "incident"


def test_an_error_has_its_line_and_leaves_no_log(tmp_path: Path) -> None:
    file, log = tmp_path / "pods.json", tmp_path / "a.db"
    file.write_text(json.dumps({"type": "ADDED", "object": pod()}) + "\nNAME READY\n")
    done = run("import", "--form", "kubectl", file, log)
    assert (done.exit_code, list(tmp_path.iterdir())) == (3, [file])
    assert f"Error: {file}, line 2: no watch event" in done.stderr


def test_what_is_left_out_is_told_and_a_file_with_nothing_in_it_is_wrong(tmp_path: Path) -> None:
    file, log = tmp_path / "pods.json", tmp_path / "a.db"
    file.write_text(
        json.dumps({"type": "ADDED", "object": pod()}) + '\n{"type":"BOOKMARK","object":{}}\n{"type"'
    )
    done = run("import", "--form", "kubectl", "--cluster", "prod", file, log)
    assert done.stdout.splitlines() == [
        f"{log}: 1 events from 2026-01-24T10:00:00.000Z to 2026-01-24T10:00:00.000Z",
        "left out: 1 BOOKMARK lines, which tell of no object",
        f"{file}: its last line is cut off, and left out",
    ]
    again = run("import", "--form", "kubectl", file, log)
    assert (again.exit_code, "it is there already" in again.stderr) == (2, True)
    file.write_text('{"type":"BOOKMARK","object":{}}\n')
    empty = run("import", "--form", "kubectl", file, tmp_path / "b.db", "-o", "json")
    assert empty.exit_code == 3
    assert "no pod, node or namespace is in it" in empty.stderr
    assert "1 BOOKMARK" in empty.stderr


def test_programs_get_one_object(tmp_path: Path) -> None:
    told = json.loads(run("import", "--form", "capture", CAPTURE, tmp_path / "a.db", "-o", "json").stdout)
    assert (told["events"], told["unchanged"], told["left"], told["cut"]) == (539, 461, {}, [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_that_is_interrupted_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "in").mkdir()
    fifo = tmp_path / "in" / "pods.json"
    os.mkfifo(fifo)
    out = tmp_path / "out"
    out.mkdir()
    command = (
        sys.executable,
        "-c",
        "from kstream.cli import main; main()",
        "log",
        "import",
        "--form",
        "kubectl",
    )
    with subprocess.Popen((*command, str(fifo), str(out / "a.db")), stderr=subprocess.PIPE) as process:
        with fifo.open("w") as writing:  # which waits for the reader
            writing.write(json.dumps({"type": "ADDED", "object": pod()}) + "\n")
            writing.flush()
            process.send_signal(number)
        process.wait()
    assert process.returncode != 0
    assert list(out.iterdir()) == []
