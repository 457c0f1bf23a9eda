"""The scripts of seeds, and how one that fails gets short."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.certify import sequences, steps
from simulator.certify.steps import Step, written


def test_the_same_seed_is_the_same_script_and_another_one_is_another() -> None:
    assert sequences.script(7) == sequences.script(7)
    assert len({str(written(sequences.script(seed))) for seed in range(50)}) == 50


def test_between_them_the_seeds_have_every_step() -> None:
    met = {type(step) for seed in range(50) for step in sequences.script(seed)}
    assert met == set(steps.Step.__args__)


async def test_a_script_that_fails_is_cut_to_what_it_fails_of() -> None:
    whole = sequences.script(1)
    guilty = (whole[3], whole[30])

    async def fails(script: Sequence[Step]) -> bool:
        return all(any(step is each for step in script) for each in guilty)

    assert await sequences.shortened(whole, fails, tries=500) == guilty


async def test_it_is_tried_so_often_and_no_more() -> None:
    tried = 0

    async def fails(script: Sequence[Step]) -> bool:
        nonlocal tried
        tried += 1
        return False

    whole = sequences.script(1)
    assert await sequences.shortened(whole, fails, tries=9) == whole
    assert tried == 9
