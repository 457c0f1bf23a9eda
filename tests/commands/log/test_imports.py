"""`kstream log import`."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.cli import main
from kstream.logs.lock import WriterLock
from tests.core.imports.making import pod
from tests.logs.facts import as_format, history, shown
from tests.logs.files import contents, is_whole, state_at, stored
from tests.recording import SECRET, WIRE

INCIDENT = WIRE.parent / "incident.db"
CAPTURE = WIRE / "incident.jsonl.gz"
ONE = json.dumps({"type": "ADDED", "object": pod()}) + "\n"


def run(*arguments: str | Path, given: bytes | IO[bytes] | None = None) -> Result:
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


@pytest.mark.parametrize("style", [{}, {"sort_keys": True, "separators": (",", ":")}])
def test_an_export_that_another_program_wrote_again_is_the_same_to_whoever_asks(
    tmp_path: Path, style: dict[str, Any]
) -> None:
    lines = run("export", INCIDENT).stdout_bytes.splitlines()
    again = "".join(json.dumps(json.loads(line), **style) + "\n" for line in lines)
    copy = tmp_path / "copy.db"
    assert run("import", "-", copy, given=again.encode()).exit_code == 0
    for asked in (["timeline", "--buckets", "9"], ["when"]):
        where = ['pod.status == "CrashLoopBackOff"'] if asked == ["when"] else []
        command, *rest = asked
        assert run(command, copy, *where, *rest).stdout == run(command, INCIDENT, *where, *rest).stdout != ""


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
    assert "; export the log again" in result.stderr
    assert ("--form" in result.stderr) is ("it does not begin as" in result.stderr)
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


def events(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in run("events", log, "-o", "json").stdout.splitlines()]


def test_a_capture_becomes_the_log_that_kstream_recorded_of_the_same_cluster(tmp_path: Path) -> None:
    log = tmp_path / "a.db"
    done = run("import", "--form", "capture", CAPTURE, log)
    assert done.exit_code == 0, done.output
    assert f"{log}: 539 events, 1 to 539; {log.stat().st_size:,} bytes\nfrom 2026-11-22T20:56:" in done.stdout
    assert "461 that change nothing" in done.stdout
    assert SECRET.encode() not in log.read_bytes()
    told = [(each["action"], each["uid"]) for each in events(log)]
    wanted = [(each["action"], each["uid"]) for each in events(INCIDENT)]
    assert sorted(told, key=str) == sorted(wanted, key=str), "streams are side by side"
    assert run("verify", log).exit_code == 0
    assert is_whole(log)
    assert json.loads(run("info", log, "-o", "json").stdout)["cluster"] == "incident"


def test_what_others_recorded_is_exported_and_imported_as_any_log(tmp_path: Path) -> None:
    log, again = tmp_path / "a.db", tmp_path / "b.db"
    run("import", "--form", "capture", CAPTURE, log)
    exported = run("export", log).stdout_bytes
    assert json.loads(exported.partition(b"\n")[0])["meta"] == {"imported": "capture"}
    assert run("import", "--form", "kstream", "-", again, given=exported).exit_code == 0
    assert contents(again) == contents(log)


def test_an_error_has_its_line_and_leaves_no_log(tmp_path: Path) -> None:
    file, log = tmp_path / "pods.json", tmp_path / "a.db"
    file.write_text(f"{ONE}NAME READY\n")
    done = run("import", "--form", "kubectl", file, log)
    assert (done.exit_code, list(tmp_path.iterdir())) == (3, [file])
    assert f"Error: {file}, line 2: no watch event" in done.stderr
    missing = run("import", "--form", "audit", tmp_path / "none", log)
    assert (missing.exit_code, list(tmp_path.iterdir())) == (3, [file])
    assert "none: it cannot be read (No such file or directory); check the path" in missing.stderr


def test_what_is_left_out_is_told_and_a_file_with_nothing_in_it_is_wrong(tmp_path: Path) -> None:
    file, log = tmp_path / "pods.json", tmp_path / "a.db"
    file.write_text(f'{ONE}{ONE}{{"type":"BOOKMARK","object":{{}}}}\n{{"type"')
    done = run("import", "--form", "kubectl", "--cluster", "prod", file, log)
    assert done.stdout.splitlines() == [
        f"{log}: 1 events, 1 to 1; {log.stat().st_size:,} bytes",
        "from 2026-01-24T10:00:00.000Z to 2026-01-24T10:00:00.000Z",
        "left out: 1 that change nothing that kstream shows",
        "left out: 1 BOOKMARK lines, which tell of no object",
        f"{file}: its last line is cut off, and left out",
    ]
    assert json.loads(run("info", log, "-o", "json").stdout)["cluster"] == "prod"
    file.write_text('{"type":"BOOKMARK","object":{}}\n')
    empty = run("import", "--form", "kubectl", file, tmp_path / "b.db", "-o", "json")
    assert (empty.exit_code, sorted(os.listdir(tmp_path))) == (3, ["a.db", "pods.json"])
    assert f"{file}: no pod, node or namespace is in it, read as --form kubectl" in empty.stderr
    assert "(left out: 1 BOOKMARK" in empty.stderr
    file.write_text("")
    assert "left out" not in run("import", "--form", "kubectl", file, tmp_path / "b.db").stderr


def test_programs_get_one_object_of_what_others_recorded_too(tmp_path: Path) -> None:
    log = tmp_path / "a.db"
    told = json.loads(run("import", "--form", "capture", CAPTURE, log, "-o", "json").stdout)
    times = told.pop("from"), told.pop("to")
    assert times == tuple(events(log)[number]["time"] for number in (0, -1))
    assert told == {
        "log": str(log),
        "objects": 0,
        "events": 539,
        "first": 1,
        "last": 539,
        "bytes": log.stat().st_size,
        "unchanged": 461,
        "left": {},
        "cut": [],
    }


def test_several_files_are_one_history_and_one_of_them_may_be_stdin(tmp_path: Path) -> None:
    pods, nodes, log = tmp_path / "pods.json.gz", tmp_path / "nodes.json", tmp_path / "a.db"
    pods.write_bytes(gzip.compress(ONE.encode()))
    node = {"kind": "Node", "metadata": {"name": "n", "uid": "uid-n", "resourceVersion": "1"}}
    nodes.write_text(json.dumps({"type": "ADDED", "object": node}) + "\n")
    with pods.open("rb") as stdin:
        done = run("import", "--form", "kubectl", "-", nodes, log, given=stdin)
    assert done.exit_code == 0, done.output
    assert [each["uid"] for each in events(log)] == ["uid-a", "uid-n"]
    assert json.loads(run("info", log, "-o", "json").stdout)["cluster"] == "stdin"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("a", "b", "log.db"), "2 files: an export is a log of its own"),
        (("--cluster", "prod", "a", "log.db"), "--cluster prod: an export says itself"),
        (("--form", "capture", "-", "log.db"), "-: stdin is read once, and --form capture"),
        (("--form", "audit", "-", "-", "log.db"), "-: stdin is read once, and --form audit"),
        (("--form", "csv", "a", "log.db"), "'csv' is not one of 'kstream', 'kubectl', 'audit', 'capture'"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("import", *words)
    assert (result.exit_code, os.listdir(tmp_path)) == (2, [])
    assert says in result.stderr


def test_what_is_there_is_left_alone_or_replaced_in_every_form(tmp_path: Path) -> None:
    file, log = tmp_path / "pods.json", tmp_path / "a.db"
    file.write_text(ONE)
    log.write_text("before")
    refused = run("import", "--form", "kubectl", file, log)
    assert (refused.exit_code, "it is there already" in refused.stderr) == (2, True)
    file.write_text("NAME READY\n")
    assert run("import", "--form", "kubectl", "--force", file, log).exit_code == 3
    assert log.read_text() == "before"
    assert "it is what is read" in run("import", "--form", "kubectl", "--force", file, file).stderr
    file.write_text(ONE)
    assert run("import", "--form", "kubectl", "--force", file, log).exit_code == 0
    assert len(events(log)) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_one_that_is_interrupted_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    fifo, out = tmp_path / "pods.json", tmp_path / "out"
    os.mkfifo(fifo)
    out.mkdir()
    log = out / "a.db"
    program = "from kstream.cli import main; main()"
    words = ("log", "import", "--form", "kubectl", str(fifo), str(log))
    with (
        subprocess.Popen((sys.executable, "-c", program, *words), stderr=subprocess.PIPE) as process,
        fifo.open("w") as writing,  # which waits for the reader
    ):
        writing.write(ONE)
        writing.flush()
        process.send_signal(number)
        _, said = process.communicate()
    assert (process.returncode, said) == (130, b"")
    assert list(out.iterdir()) == []
