"""The page of deviations and the cases are the same list."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

from tests.conformance.deviations import DEVIATIONS
from tests.conformance.test_cases import CASES, SUITE

PAGE = (Path(__file__).parents[2] / "docs" / "websocket-conformance.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_names_each_deviation_with_its_cases_and_an_argument() -> None:
    named = {cells[0].strip("`"): tuple(re.findall(r"[\w.*]+", cells[1])) for cells in rows("Deviations")}
    assert named == DEVIATIONS
    assert all(len(cells) == 5 and all(cells) for cells in rows("Deviations"))


def test_a_case_deviates_where_a_pattern_says_so_and_nowhere_else() -> None:
    for case in CASES:
        named = [
            key
            for key, patterns in DEVIATIONS.items()
            if any(fnmatchcase(case.number, pattern) for pattern in patterns)
        ]
        if case.number == "9.2.6":  # binary, and too long: the length is found first
            assert named == ["binary", "limit"]
            assert case.deviation == "limit"
        else:
            assert named == ([case.deviation] if case.deviation else []), case.number


def test_every_pattern_is_of_some_case() -> None:
    for patterns in DEVIATIONS.values():
        for pattern in patterns:
            assert any(fnmatchcase(case.number, pattern) for case in CASES), pattern


def test_the_page_has_the_number_of_cases_of_every_chapter() -> None:
    counted: dict[str, int] = {}
    for section, size in SUITE.items():
        chapter = section.split(".")[0]
        counted[chapter] = counted.get(chapter, 0) + size
    counted["R"] = sum(case.number.startswith("R.") for case in CASES)
    assert {cells[0]: int(cells[2]) for cells in rows("What is run")} == counted
