"""The corpus and a fixed number of mutated inputs for each parser; `python -m tests.fuzz` goes on from there."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from tests.fuzz.engine import attempt, corpus, hunt, open_findings
from tests.fuzz.table import TARGETS

SEED = 20250124

every_target = pytest.mark.parametrize("name", sorted(TARGETS))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        pytest.param(name, path, id=f"{name}/{path.name}")
        for name, target in sorted(TARGETS.items())
        for path in corpus(target)
    ],
)
def test_what_was_once_looked_at_is_read_or_refused_as_documented(name: str, path: Path) -> None:
    finding = attempt(TARGETS[name], path.read_bytes())
    assert finding is None, finding


@pytest.mark.untraced
@every_target
def test_mutated_inputs_are_read_or_refused_as_documented(name: str) -> None:
    target = TARGETS[name]
    done, findings = hunt(target, corpus(target), seed=SEED, more=lambda done: done < target.executions)
    assert done == target.executions
    assert not findings, "\n".join(f"{found.place}: {found.data!r}" for found in findings)


@every_target
def test_most_of_a_corpus_is_more_than_refused(name: str) -> None:
    """Otherwise the mutants would never come further than the first check."""
    target, passed = TARGETS[name], 0
    for path in corpus(target):
        with suppress(*target.documented):
            target.run(path.read_bytes())
            passed += 1
    assert passed >= 2


@pytest.mark.parametrize(
    ("name", "path"),
    [
        pytest.param(
            name,
            path,
            id=f"{name}/{path.name}",
            marks=pytest.mark.xfail(strict=True, reason="found and not mended yet"),
        )
        for name, target in sorted(TARGETS.items())
        for path in open_findings(target)
    ],
)
def test_what_is_open_is_still_open(name: str, path: Path) -> None:
    assert attempt(TARGETS[name], path.read_bytes()) is None
