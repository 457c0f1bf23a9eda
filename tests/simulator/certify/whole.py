"""What is too dear for `make test`: every planted fault, many random sequences, real waits (`make certify`)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from simulator.certify.cases import CASES
from simulator.certify.commands import chosen_cases
from tests.node_tests import JS, node
from tests.simulator.certify.planted import HARNESS, PLANTED
from tests.simulator.certify.test_mutants import missed
from tests.simulator.certify.test_ours import CONTRACT, PYTHON, failures

__all__ = ["node"]  # a fixture

pytestmark = pytest.mark.timeout(3600)

SEEDS = chosen_cases([], None, 1, 200)[len(CASES) :]


async def test_every_planted_fault_is_found(node: str, tmp_path: Path) -> None:
    assert await missed(node, tmp_path, PLANTED) == []


async def test_the_python_client_passes_two_hundred_sequences() -> None:
    assert await failures(PYTHON, SEEDS) == ([], 0)


async def test_the_javascript_client_passes_two_hundred_sequences(
    node: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(JS)
    assert await failures((node, str(HARNESS)), SEEDS) == ([], 0)


async def test_a_client_that_knows_the_contract_only_passes_all_that_it_can(tmp_path: Path) -> None:
    harness = tmp_path / "contract.py"
    harness.write_text(CONTRACT.text, "utf-8")
    failed, _ = await failures((sys.executable, str(harness)), CASES)
    assert failed == []
