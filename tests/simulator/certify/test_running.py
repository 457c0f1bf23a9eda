"""A run says what a client did wrong and where, and finds a short script for what a long one found."""

from __future__ import annotations

from pathlib import Path

import pytest

from kstream.clock import SystemClock
from simulator.certify.cases import CASES
from simulator.certify.commands import chosen_cases
from simulator.certify.running import Outcome, Runner
from tests.node_tests import JS, node
from tests.simulator.certify.planted import HARNESS, PLANTED

__all__ = ["node"]  # a fixture

STAYS = next(each for each in PLANTED if each.what == "what is deleted stays")


def runner(*command: str, patience: float = 0.3) -> Runner:
    return Runner(command, clock=SystemClock(), patience=patience, slow=False)


@pytest.mark.node
async def test_a_long_sequence_that_fails_becomes_a_short_one(
    node: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(JS)
    [case] = chosen_cases(["seed:1"], None, 0, 0)
    planted = f"KSTREAM_JS={STAYS.write(tmp_path, 0)}"
    async with runner("env", planted, node, str(HARNESS), patience=0.5) as running:
        assert "start" in await running.meet()
        long = await running.run(case)
        assert (long.outcome, long.about) == (Outcome.FAILED, "fold")
        short = await running.shorten(long)
        assert len(short.script) < 8 < len(case.script)
        assert {"delete"} < {step.do for step in short.script}
        assert "is held, and is not there" in "".join(short.lines)
        assert short.sent
        assert short.where.startswith("step ")


async def test_what_a_harness_cannot_or_takes_too_long_is_not_played() -> None:
    async with runner("cat") as running:  # an echo: it knows nothing, and connects to nobody
        assert await running.meet() == frozenset()
        reasons = {case.id: running.skipped(case) for case in CASES}
        assert reasons["filter/away"] == "its harness cannot subscribe"
        assert reasons["heartbeat/ping"].startswith("it takes 90 s: --slow plays it")
        assert reasons["state/whole"] == ""
        assert (await running.run(next(case for case in CASES if case.needs))).outcome is Outcome.SKIPPED
    assert running.fold_keys == ()
