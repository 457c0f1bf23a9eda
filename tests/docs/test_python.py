"""Python blocks: mypy takes them at its strictest, and they run."""

from __future__ import annotations

import asyncio
import inspect
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from simulator.testing import SimulatedServer
from tests.docs.blocks import ROOT, Block, of

PYTHON = of("python")
_STARTS = "asyncio.run("  # a program: it runs until it is stopped
_TESTS = "def test_"
_HARNESS = "KSTREAM_URL"  # a client that `kstream certify` drives: tests/simulator/certify/test_ours.py does


def module(block: Block) -> str:
    """What the file is called that holds the block: mypy and tracebacks say it."""
    return re.sub(r"\W", "_", str(block)) + ".py"


def test_mypy_takes_every_block(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    for block in PYTHON:
        # So far down that a line of the file is the line of the page.
        (tmp_path / module(block)).write_text("\n" * (block.line - 1) + block.text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *map(str, sorted(tmp_path.glob("*.py")))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", [block for block in PYTHON if _TESTS in block.text], ids=str)
def test_the_tests_of_a_block_pass(block: Block, request: pytest.FixtureRequest) -> None:
    names: dict[str, Any] = {"__name__": module(block)}
    exec(compile(block.text, str(block), "exec"), names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        if inspect.iscoroutinefunction(test):
            asyncio.run(test())
        else:
            test(*map(request.getfixturevalue, inspect.signature(test).parameters))


@pytest.mark.parametrize(
    "block", [block for block in PYTHON if _STARTS in block.text and _HARNESS not in block.text], ids=str
)
def test_a_program_prints_what_it_is_told(block: Block, server: SimulatedServer) -> None:
    text = block.text.replace("localhost:3001", urlsplit(server.page).netloc)
    with subprocess.Popen(
        [sys.executable, "-u", "-c", text], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            assert any("initial_state" in line for line in process.stdout), f"{block}: it ended"
        finally:
            process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_a_block_is_a_program_or_has_tests(block: Block) -> None:
    assert _STARTS in block.text or _TESTS in block.text, f"{block}: nothing in it runs"
