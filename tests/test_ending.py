"""A command ends when it is told to: by any of the signals that mean it, and also when it is too busy to listen."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from kstream.ending import stdin_until, stop_with_stdin, written_out

_WAITS = """
import asyncio
from kstream.ending import stop_on_signals

async def main():
    stop = asyncio.Event()
    stop_on_signals(stop)
    print("ready", flush=True)
    {then}

asyncio.run(main())
print("ended", flush=True)
"""
_IN_ORDER = "await stop.wait()"
_HELD_UP = "while True: pass"


def started(then: str, *, before: str = "") -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", before + _WAITS.format(then=then)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_means_it_ends_a_command_in_order(number: signal.Signals) -> None:
    process = started(_IN_ORDER)
    process.send_signal(number)
    assert process.communicate()[0] == "ended\n"
    assert process.returncode == 0


def test_a_terminal_that_is_closed_ends_nothing_that_was_started_to_outlive_it() -> None:
    process = started(_IN_ORDER, before="import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n")
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    assert process.communicate()[0] == "ended\n"
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_ends_a_process_that_does_not_listen(number: signal.Signals) -> None:
    process = started(_HELD_UP)
    while process.poll() is None:
        process.send_signal(number)
    assert process.communicate()[0] == ""
    assert process.returncode == -number


def test_one_signal_ends_a_process_that_does_not_listen_in_the_end() -> None:
    shortened = "import kstream.ending; kstream.ending._LONGEST_END = 1\n"
    process = started(_HELD_UP, before=shortened)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == -signal.SIGALRM


def printed(
    then: str, stdout: int | IO[str], *, unbuffered: bool = False
) -> subprocess.CompletedProcess[str]:
    """A program that prints inside of `written_out`, and does `then`."""
    lines = [
        "import sys",
        "from kstream.ending import written_out",
        "with written_out():",
        "    print('told')",
    ]
    program = "\n".join([*lines, f"    {then}"])
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        [sys.executable, *(["-u"] if unbuffered else []), "-c", program],
        env=environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("unbuffered", [False, True])
@pytest.mark.parametrize(("then", "code"), [("pass", 1), ("sys.exit(0)", 1), ("sys.stdout.flush()", 1)])
def test_what_stdout_does_not_take_is_an_error_line(then: str, code: int, unbuffered: bool) -> None:
    with Path("/dev/full").open("w") as full:
        ended = printed(then, full, unbuffered=unbuffered)
    assert ended.returncode == code
    assert ended.stderr.startswith("Error: stdout cannot be written (No space left on device)")
    assert ended.stderr.count("\n") == 1


def test_a_command_that_failed_keeps_its_code_where_stdout_is_full() -> None:
    with Path("/dev/full").open("w") as full:
        assert printed("sys.exit(6)", full).returncode == 6


def test_what_a_command_has_coped_with_is_its_own_affair() -> None:
    cope = "exec('try: sys.stdout.flush()\\nexcept OSError: pass')"
    with Path("/dev/full").open("w") as full:
        ended = printed(f"{cope}; sys.exit(0)", full)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("unbuffered", [False, True])
@pytest.mark.parametrize("then", ["pass", "sys.exit(0)", "sys.stdout.flush()"])
def test_a_reader_that_has_enough_is_no_error(then: str, unbuffered: bool) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = printed(then, writing, unbuffered=unbuffered)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_another_error_is_raised_as_it_is() -> None:
    with pytest.raises(OSError, match="of something else"), written_out():
        raise OSError("of something else")


async def test_a_command_may_end_when_its_stdin_does(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        stop = asyncio.Event()
        stop_with_stdin(stop)
        os.write(writing, b"x" * 10_000)
        assert not stop.is_set()
        os.close(writing)
        await stop.wait()


async def test_a_command_without_a_stdin_that_should_end_with_it_ends_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    stop = asyncio.Event()
    stop_with_stdin(stop)
    assert stop.is_set()


async def test_who_reads_stdin_in_a_thread_comes_to_its_end_when_it_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        stop = asyncio.Event()
        async with stdin_until(stop):
            os.write(writing, "größe\n".encode())
            assert await asyncio.to_thread(sys.stdin.readline) == "größe\n"
            waiting = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
            stop.set()
            assert await waiting == ""
        assert sys.stdin is stdin
        os.close(writing)


@pytest.mark.parametrize("there", [True, False])
async def test_and_also_when_whoever_writes_it_closes_it_or_there_is_none(
    monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin if there else None)
        async with stdin_until(asyncio.Event()):
            assert await asyncio.to_thread(sys.stdin.readline) == ""


async def test_what_is_typed_in_a_terminal_is_left_for_others_to_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    master, terminal = pty.openpty()
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        stop_with_stdin(asyncio.Event())
        os.write(master, b"q\n")
        assert stdin.readline() == "q\n"
    os.close(master)
