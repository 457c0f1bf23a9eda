"""What the process says on stderr, how it ends, and what it leaves behind."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from kstream.clock import SystemClock
from kstream.core.errors import BindError
from kstream.processlog.lines import say
from kstream.processlog.setup import process_log

LOG = logging.getLogger("kstream.test")


def lines_of(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return capfd.readouterr().err.splitlines()


def test_what_is_below_the_level_and_what_libraries_say_below_a_warning_is_not_said(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with process_log("text", "info", clock=SystemClock(), worker=7):
        say(LOG, logging.DEBUG, "request")
        say(LOG, logging.INFO, "started", mode="live")
        logging.getLogger("kubernetes_asyncio").debug("response body: a secret")
        logging.getLogger("asyncio").warning("socket.send() raised exception.")
        logging.getLogger("aiohttp.client").warning("Unclosed")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old", DeprecationWarning, stacklevel=1)
    lines = [line.partition(" ")[2] for line in lines_of(capfd)]
    assert lines[:2] == ["info started worker=7 mode=live", "warning Unclosed worker=7 logger=aiohttp.client"]
    assert "DeprecationWarning" in lines[2]


def test_everything_is_as_it_was_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger("kstream").level, logging.getLogger().level
    with process_log("json", "debug", clock=SystemClock()):
        assert logging.getLogger("kstream").level == logging.DEBUG
    after = logging.getLogger().handlers[:], logging.getLogger("kstream").level, logging.getLogger().level
    assert before == after
    assert lines_of(capfd) == []


def test_an_error_is_the_last_line_and_the_exit_code(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, process_log("text", "error", clock=SystemClock()):
        raise BindError("Cannot listen on \u202e: choose another --port")
    assert ended.value.code == 7
    assert lines_of(capfd) == [r"Error: Cannot listen on \u202e: choose another --port"]
    with pytest.raises(SystemExit), process_log("json", "error", clock=SystemClock()):
        raise BindError("taken")
    (line,) = lines_of(capfd)
    assert json.loads(line).items() >= {"event": "failed", "message": "taken", "exit_code": 7}.items()


def test_a_defect_has_its_traceback_and_exit_code_1(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, process_log("json", "info", clock=SystemClock()):
        raise ZeroDivisionError("a defect")
    assert ended.value.code == 1
    (line,) = lines_of(capfd)
    assert json.loads(line)["event"] == "crashed"
    assert json.loads(line)["traceback"].endswith("ZeroDivisionError: a defect")


def test_a_flood_is_a_few_lines_and_a_count_of_the_others_by_sort(capfd: pytest.CaptureFixture[str]) -> None:
    with process_log("json", "info", clock=SystemClock()):
        for _ in range(5000):
            say(LOG, logging.WARNING, "refused", reason="HOST", remote="10.0.0.5")
        say(LOG, logging.WARNING, "refused", reason="ORIGIN")
        for _ in range(100):
            say(LOG, logging.INFO, "told")
    lines = [json.loads(line) for line in lines_of(capfd)]
    hosts = [line for line in lines if line["event"] == "refused" and line["reason"] == "HOST"]
    left = [line for line in lines if line["event"] == "left out"]
    assert len(hosts) < 5000
    assert {line["reason"] for line in left} == {"HOST"}
    assert all(line["of"] == "refused" for line in left)
    assert len(hosts) + sum(line["count"] for line in left) == 5000
    assert sum(line["event"] == "told" for line in lines) == 100
    assert sum(line["event"] == "refused" and line["reason"] == "ORIGIN" for line in lines) == 1


def test_what_the_system_refuses_to_the_event_loop_is_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    async def refused() -> None:
        error = OSError(24, "Too many open files")
        context = {"message": "socket.accept() out of system resource", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)

    with process_log("json", "info", clock=SystemClock()):
        asyncio.run(refused())
    (line,) = lines_of(capfd)
    assert json.loads(line)["error"] == "[Errno 24] Too many open files"
    assert "traceback" not in json.loads(line)


SCRIPT = """
import logging, sys
from kstream.clock import SystemClock
from kstream.processlog.lines import say
from kstream.processlog.setup import process_log
with process_log("text", "info", clock=SystemClock()):
    file = open(sys.argv[1], "w")
    for number in range(20000):
        say(logging.getLogger("kstream"), logging.INFO, "x" * 100, number=number)
    file.write("done")
"""


def test_a_full_stderr_stops_nothing_and_not_the_end(tmp_path: Path) -> None:
    reading, writing = os.pipe()  # nobody reads
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path / "out")], stderr=writing, check=False)
    os.close(reading)
    os.close(writing)
    assert done.returncode == 0
    assert (tmp_path / "out").read_text() == "done"


def test_a_closed_stderr_stops_nothing_and_no_file_takes_its_place(tmp_path: Path) -> None:
    closing = 'exec "$0" -c "$1" "$2" 2>&-'
    done = subprocess.run(["sh", "-c", closing, sys.executable, SCRIPT, str(tmp_path / "out")], check=False)
    assert done.returncode == 0
    assert (tmp_path / "out").read_text() == "done"
