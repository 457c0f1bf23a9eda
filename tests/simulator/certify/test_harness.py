"""The command is talked to, bounded and ended, whatever it does."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from kstream.clock import SystemClock
from kstream.core.errors import UsageError
from simulator.certify.harness import LONGEST, Harness, HarnessError

LOOP = """
import json, os, sys
for line in sys.stdin:
    ask = json.loads(line)["ask"]
    print({"can": CAN, "pid": '{"pid": %d}' % os.getpid()}.get(ask, "{}"), flush=True)
"""
NOTHING = "'{}'"


def command(program: str, can: str = NOTHING) -> tuple[str, ...]:
    return (sys.executable, "-S", "-E", "-c", program.replace("CAN", can))


def harness(program: str, can: str = NOTHING, *, patience: float = 20.0) -> Harness:
    return Harness(command(program, can), clock=SystemClock(), patience=patience)


async def test_one_that_cannot_start_anew_is_another_process_for_each_client() -> None:
    talked = harness(LOOP)
    await talked.begin("ws://one")
    first = await talked.ask("pid")
    await talked.begin("ws://two")
    assert await talked.ask("pid") != first
    assert talked.can == frozenset()
    await talked.end()


async def test_one_that_can_is_told_and_stays() -> None:
    talked = harness(LOOP, """'{"can": ["start", "resume"]}'""")
    await talked.begin("ws://one")
    first = await talked.ask("pid")
    await talked.begin("ws://two")
    assert await talked.ask("pid") == first
    assert talked.can == {"start", "resume"}
    assert await talked.fold() == {}
    await talked.end()


@pytest.mark.parametrize(
    ("program", "can", "said"),
    [
        (LOOP, """'{"can": ["fly"]}'""", "it can fly: there are start, advance"),
        (LOOP, """'{"can": "start"}'""", "has to be a list of texts"),
        (LOOP, "'[1]'", r"an answer is a JSON object"),
        (LOOP, "'[' * 100000", "no JSON"),
        (LOOP, "'hello'", "no JSON: hello. Its log belongs on stderr"),
        (LOOP, f"'x' * {LONGEST + 10}", f"longer than {LONGEST} bytes"),
        (
            "import sys; sys.stdin.readline(); sys.exit(3)",
            NOTHING,
            "It ended when it was asked .*: exit code 3",
        ),
    ],
)
async def test_what_is_no_answer_is_said(program: str, can: str, said: str) -> None:
    talked = harness(program, can)
    try:
        with pytest.raises(HarnessError, match=said):
            await talked.begin("ws://one")
    finally:
        await talked.kill()


async def test_one_that_hangs_is_waited_for_no_longer_than_the_patience_and_killed() -> None:
    talked = harness(
        "import sys\nfor line in sys.stdin:\n  if 'can' in line: print('{}', flush=True)", patience=0.05
    )
    await talked.begin("ws://one")
    with pytest.raises(HarnessError, match=r"does not answer .* within 0\.05 s"):
        await talked.fold()
    await talked.kill()


async def test_the_end_of_its_stderr_is_kept_and_safe_to_show() -> None:
    program = "import sys; sys.stderr.write('x' * 9000 + '\\x1b[2Jlast\\n'); sys.stderr.flush()" + LOOP
    talked = harness(program)
    await talked.begin("ws://one")
    await talked.end()
    assert talked.stderr.endswith("\\u001b[2Jlast")
    assert len(talked.stderr) < 5000


async def test_what_it_has_started_ends_with_it(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    child = "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\n"
    talked = harness(f"{child}open({str(told)!r}, 'w').write(str(child.pid)){LOOP}")
    await talked.begin("ws://one")
    await talked.end()
    await asyncio.to_thread(await_end, told)


def await_end(told: Path) -> None:
    """Until the process is gone whose number is in the file: a signal takes its time."""
    with suppress(FileNotFoundError):
        while Path(f"/proc/{told.read_text()}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
            os.sched_yield()


async def test_a_command_that_cannot_be_started_is_wrong_usage() -> None:
    for name in ("no-such-program-here", os.devnull, "nul\0"):
        with pytest.raises(UsageError, match="cannot be started: "):
            await Harness((name,), clock=SystemClock(), patience=1).begin("ws://one")
