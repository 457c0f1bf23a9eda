"""Faults that are planted in kstream.js are found, by the case that is named for each; without one it passes.

Here one for each way to be found; all of them in whole.py (`make certify`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from kstream.clock import SystemClock
from simulator.certify.cases import CASES
from simulator.certify.harness import HarnessError
from simulator.certify.running import Outcome, Runner, Verdict
from tests.node_tests import JS, node
from tests.simulator.certify.planted import HARNESS, PLANTED, Planted

__all__ = ["node"]  # a fixture

pytestmark = pytest.mark.node

_BY_ID = {case.id: case for case in CASES}
_AT_ONCE = 4  # harnesses
_KINDS = {
    "resume is never asked for",
    "a refused resume is resumed from",
    "the last event of a batch is dropped",
    "there is no wait before the next attempt",
    "the waits have no end",
    "no ping is sent",
    "a pong is not heard",
    "no pong is missed",
    "the filter is not in the URL of the next connection",
    "another filter is not said to the server",
}
_SOME = [each for each in PLANTED if each.what in _KINDS]


@contextmanager
def _in_the_folder_of_ws() -> Iterator[None]:
    before = Path.cwd()
    os.chdir(JS)
    try:
        yield
    finally:
        os.chdir(before)


async def _found(node: str, client: Path, case: str) -> Verdict:
    command = ("env", f"KSTREAM_JS={client}", node, str(HARNESS))
    async with Runner(command, clock=SystemClock(), patience=0.3, slow=False) as runner:
        try:
            await runner.meet()
        except HarnessError as error:
            return Verdict(
                _BY_ID[case], Outcome.FAILED, why=str(error), about="harness", stderr=runner.stderr
            )
        return await runner.run(_BY_ID[case])


async def test_a_planted_fault_is_found(node: str, tmp_path: Path) -> None:
    assert await missed(node, tmp_path, _SOME) == []


async def missed(node: str, folder: Path, faults: Sequence[Planted]) -> list[str]:
    """Those that are not found, in words."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def look(number: int, planted: Planted) -> str:
        async with turns:
            verdict = await _found(node, await asyncio.to_thread(planted.write, folder, number), planted.case)
        # A client that does not start at all would be found by anything.
        if verdict.outcome is Outcome.FAILED and verdict.about not in ("harness", "connect"):
            return ""
        return f"{planted.what}: {verdict.outcome} {verdict.case.id} {verdict.why} {verdict.stderr}"

    with _in_the_folder_of_ws():
        found = await asyncio.gather(*(look(number, each) for number, each in enumerate(faults)))
    return [each for each in found if each]


def test_there_are_thirty_of_them_and_each_is_another_one() -> None:
    assert len({(each.before, each.after) for each in PLANTED}) == len(PLANTED) >= 30
    assert {each.what for each in _SOME} == _KINDS


def test_each_stands_once_in_the_client_and_its_case_is_there(tmp_path: Path) -> None:
    for number, each in enumerate(PLANTED):
        each.write(tmp_path, number)
        assert each.case in _BY_ID, each.what
