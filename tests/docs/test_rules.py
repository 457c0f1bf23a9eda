"""Whatever number a docstring cites stands in docs/rules.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_CITED = re.compile(r"\b(PROTOCOL|LISTWATCH) (\d[\d, \n#-]*(?:and \d+)?)")


def _rules() -> dict[str, set[int]]:
    """The numbers of each section of the page."""
    sections = (_ROOT / "docs/rules.md").read_text().split("\n## ")[1:]
    return {
        section.partition("\n")[0]: {
            int(found) for found in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)
        }
        for section in sections
    }


def _cited(text: str) -> set[tuple[str, int]]:
    cited = set()
    for section, numbers in _CITED.findall(text):
        for first, last in re.findall(r"(\d+)(?:-(\d+))?", numbers):
            cited |= {(section, number) for number in range(int(first), int(last or first) + 1)}
    return cited


@pytest.mark.parametrize("package", ["kstream", "simulator", "loadtest", "tests", "docs"])
def test_every_rule_that_is_cited_is_written_down(package: str) -> None:
    rules = _rules()
    for path in sorted((_ROOT / package).rglob("*")):
        if path.suffix not in (".py", ".md", ".js", ".mjs") or "node_modules" in path.parts:
            continue
        unknown = {cited for cited in _cited(path.read_text()) if cited[1] not in rules[cited[0]]}
        assert not unknown, (
            f"{path.relative_to(_ROOT)} cites {sorted(unknown)}, which docs/rules.md does not have"
        )


def test_a_citation_is_read_as_people_write_it() -> None:
    assert _cited("(PROTOCOL 3 and 8; LISTWATCH 5-7, 10)") == {
        *(("PROTOCOL", number) for number in (3, 8)),
        *(("LISTWATCH", number) for number in (5, 6, 7, 10)),
    }
