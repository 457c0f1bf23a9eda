"""Both clients of kstream pass all that there is; and so does one that knows the contract only (docs/certifying.md)."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from kstream.clock import SystemClock
from simulator.certify.cases import CASES, Case
from simulator.certify.commands import chosen_cases
from simulator.certify.running import Outcome, Runner
from tests.docs.blocks import of
from tests.node_tests import JS, node
from tests.simulator.certify.planted import HARNESS

__all__ = ["node"]  # a fixture

PATIENCE = 20.0  # seconds: who is right needs none, however slow the machine is
PYTHON = (sys.executable, "-m", "simulator.certify.harnesses.python_client")
SEEDS = chosen_cases(["seed:1"], None, 0, 0)
CONTRACT = next(block for block in of("python") if block.page == "docs/certifying.md")


async def failures(command: Sequence[str], cases: Iterable[Case]) -> tuple[list[str], int]:
    """What failed, in words; how many cases were not played. In a fixed case, no step may be passed over."""
    failed, skipped = [], 0
    async with Runner(command, clock=SystemClock(), patience=PATIENCE, slow=True) as runner:
        await runner.meet()
        for case in cases:
            verdict = await runner.run(case)
            skipped += verdict.outcome is Outcome.SKIPPED
            if verdict.outcome is Outcome.FAILED:
                failed.append(f"{case.id}: {verdict.why} {verdict.where} {verdict.lines} {verdict.stderr}")
            if case in CASES and verdict.passed_over:
                failed.append(f"{case.id}: steps {verdict.passed_over} make no sense")
    return failed, skipped


async def test_the_python_client_passes() -> None:
    assert await failures(PYTHON, CASES) == ([], 0)


@pytest.mark.node
@pytest.mark.untraced
async def test_the_javascript_client_passes(node: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(JS)
    # A browser tells nobody of Retry-After.
    assert await failures((node, str(HARNESS)), [*CASES, *SEEDS]) == ([], 1)


async def test_a_client_that_knows_the_contract_only_passes_what_it_can(tmp_path: Path) -> None:
    harness = tmp_path / "contract.py"
    harness.write_text(CONTRACT.text, "utf-8")
    some = [case for case in CASES if case.id in ("resume/missed", "filter/changed")]
    assert await failures((sys.executable, str(harness)), some) == ([], 1)


def test_it_is_no_longer_than_what_a_reader_takes_in() -> None:
    lines = [line for line in CONTRACT.text.splitlines() if line.strip()]
    assert len(lines) <= 75
    assert "import kstream" not in CONTRACT.text
    assert "from kstream" not in CONTRACT.text
