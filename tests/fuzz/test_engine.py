"""The fuzzer itself: that it finds what is planted, makes it small, and does the same again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kstream.core.errors import ConfigError
from tests.fuzz.engine import attempt, corpus, hunt
from tests.fuzz.mutation import Mutator
from tests.fuzz.table import TARGETS
from tests.fuzz.target import EndlessError, Target


def target_of(body: object, *, steps: int = 2_000) -> Target:
    assert callable(body)
    return Target(
        name="planted",
        run=body,
        syntax="json",
        raises=ConfigError,
        words=("deep",),
        executions=0,
        steps=steps,
    )


def refuses_numbers_but_one(data: bytes) -> None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ConfigError("no JSON") from error
    if isinstance(value, dict) and value.get("n") == 9223372036854775808:
        raise KeyError("planted")


def test_a_planted_defect_is_found_and_made_small(tmp_path: Path) -> None:
    seed = tmp_path / "seed"
    seed.write_text('{"a": [1, 2, {"b": "c"}], "n": 17, "z": "a long text that has nothing to do with it"}')
    target = target_of(refuses_numbers_but_one)
    _, findings = hunt(target, [seed], seed=1, more=lambda done: done < 5_000)
    (found,) = findings
    assert isinstance(found.error, KeyError)
    assert json.loads(found.data)["n"] == 9223372036854775808
    assert len(found.data) < len(seed.read_bytes())


def test_a_documented_error_is_no_finding_and_any_other_is() -> None:
    def documented(data: bytes) -> None:
        raise ConfigError("wrong")

    def other(data: bytes) -> None:
        raise ValueError("wrong")

    assert attempt(target_of(documented), b"") is None
    assert attempt(target_of(other), b"") is not None


def test_where_nothing_may_be_raised_every_error_is_a_finding() -> None:
    def told(data: bytes) -> None:
        raise ConfigError("wrong")

    found = attempt(replace(target_of(told), raises=None), b"")
    assert found is not None
    assert isinstance(found.error, ConfigError)


@pytest.mark.parametrize("message", ["half \ud800 of a character", "long" * 1_000])
def test_a_message_that_cannot_be_sent_or_has_no_end_is_a_finding(message: str) -> None:
    def run(data: bytes) -> None:
        raise ConfigError(message)

    assert attempt(target_of(run), b"") is not None


def test_work_that_is_more_than_the_input_allows_is_a_finding() -> None:
    def quadratic(data: bytes) -> None:
        for _ in data:
            for byte in data:
                abs(byte)

    target = target_of(quadratic, steps=20)
    assert attempt(target, bytes(30)) is None
    found = attempt(target, bytes(300))
    assert found is not None
    assert isinstance(found.error, EndlessError)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_seed_makes_the_same_inputs_again_and_another_makes_others(name: str) -> None:
    target = TARGETS[name]
    files = [path.read_bytes() for path in corpus(target)]
    first, again, other = (Mutator(target, files, seed) for seed in (1, 1, 2))
    made = [first.next() for _ in range(20)]
    assert made == [again.next() for _ in range(20)]
    assert made != [other.next() for _ in range(20)]
