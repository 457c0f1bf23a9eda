"""Which tests run which lines, and how long each test takes: a plugin of pytest, and what is read of it.

`pytest -p tests.mutants.covering` under coverage writes the durations; coverage's contexts are the ids of the tests."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Final

import coverage
import pytest
from hypothesis import HealthCheck, Phase, settings

DURATIONS: Final = "KSTREAM_MUTANTS_DURATIONS"  # the folder that they are written to

_took: dict[str, float] = {}


def pytest_configure() -> None:
    """What fails is not made small: that it fails is enough. And it fails the same way every time."""
    settings.register_profile(
        "mutants",
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutants")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    measuring = coverage.Coverage.current()
    if measuring is not None:
        measuring.switch_context(item.nodeid)
    began = perf_counter()
    try:
        return (yield)
    finally:
        _took[item.nodeid] = perf_counter() - began


def pytest_sessionfinish() -> None:
    folder = os.environ.get(DURATIONS)
    if folder is not None and _took:
        Path(folder, f"durations-{os.getpid()}.json").write_text(json.dumps(_took))


class Covering:
    """What a measured run found: `tests_of` a line, the near and the quick ones first."""

    def __init__(self, folder: Path, data: Path) -> None:
        self._took: dict[str, float] = {}
        for file in folder.glob("durations-*.json"):
            self._took |= json.loads(file.read_text())
        found = coverage.CoverageData(str(data))
        found.read()
        # All of it now: what is measured cannot be read in a process that forked.
        self._by_file = {name: found.contexts_by_lineno(name) for name in found.measured_files()}

    def tests_of(self, path: Path, line: int) -> list[str]:
        """Those that run the line. One that runs at import is run by every test that runs anything of the file, and by
        the tests of its name, which may only look at what is there. A statement of several lines runs on its first."""
        by_line = self._by_file.get(str(path), {})
        line = next((each for each in range(line, 0, -1) if each in by_line), line)
        named = [test for test in by_line.get(line, ()) if test]
        own = f"test_{path.stem}"
        if not named and "" in by_line.get(line, ()):
            named = [test for tests in by_line.values() for test in tests if test]
            named += [test for test in self._took if own in test]
        return sorted(set(named), key=lambda test: (own not in test, self.took(test), test))

    def took(self, test: str) -> float:
        """Seconds."""
        return self._took.get(test, 0.0)

    def quick(self, limit: float) -> list[str]:
        """All tests that took less than `limit` seconds, in the order of their files."""
        return sorted(test for test, took in self._took.items() if took < limit)
