"""The page of the benchmarks tells what they do."""

from __future__ import annotations

import re
import weakref
from typing import Any

import pytest

from tests.docs.blocks import ROOT

pytest.importorskip("orjson", reason="the peers of the benchmarks are not installed")

from loadtest.bench import paths
from loadtest.bench.__main__ import GROUPS
from loadtest.bench.results import Result

PAGE = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")


def about(benchmark: str) -> str:
    """What the page says of how it is measured, in one line."""
    found = re.search(rf"^- \*\*{benchmark}\*\*: ((?:.|\n  )*)", PAGE, re.MULTILINE)
    assert found is not None, f"the page does not tell how {benchmark} is measured"
    return " ".join(found[1].split())


def test_how_each_benchmark_is_measured_is_told_in_order() -> None:
    told = re.findall(
        r"^- \*\*([\w -]+)\*\*: ", PAGE.split("## How it is measured")[1].split("\n## ")[0], re.MULTILINE
    )
    assert [name.lower().replace("-", "").split()[-1] for name in told] == list(GROUPS)


class _Parsed:
    """What a parser made: unlike a dict it tells when nobody holds it any more."""


def test_the_peer_of_the_ingest_throws_each_line_away_before_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[weakref.ref[_Parsed]] = []

    def loads(_: bytes) -> _Parsed:
        assert all(before() is None for before in made)
        parsed = _Parsed()
        made.append(weakref.ref(parsed))
        return parsed

    monkeypatch.setattr("orjson.loads", loads)
    paths._parse([b"{}"] * 3, passes=2)
    assert len(made) == 6
    assert "parses the same lines and throws each away before the next" in about("Ingest")


def test_the_ingest_commits_as_often_as_the_page_says() -> None:
    assert f"a commit to SQLite every {paths._COMMIT} events" in about("Ingest")
    assert f"of {paths._COMMIT} lines until their commit" in about("Ingest")


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> list[Result]:
    """Of the ingest and the append, with nothing measured."""

    async def at_once(*_: Any) -> float:
        return 1.0

    monkeypatch.setattr(paths, "_record", at_once)
    monkeypatch.setattr(paths, "_append", at_once)
    monkeypatch.setattr(paths, "_executemany", lambda _: 1.0)
    monkeypatch.setattr(paths, "_cpu", lambda _: 1.0)
    return [*paths.ingest(quick=True), *paths.append(quick=True)]


def test_the_goals_of_the_page_are_those_that_are_checked(results: list[Result]) -> None:
    rows = re.findall(r"^\| ((?:ingest|append), [^|]*) \|.*\| ≥ ([\d.]+)", PAGE, re.MULTILINE)
    told = {name.replace("`", ""): float(goal) for name, goal in rows}
    assert told == {result.name.removesuffix(" alone"): result.goal for result in results}
