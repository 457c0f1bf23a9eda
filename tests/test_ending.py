"""A command ends when it is told to: by any of the signals that mean it, and also when it is too busy to listen."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

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
