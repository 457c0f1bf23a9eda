"""docs/README.md leads to every page, by one way."""

from __future__ import annotations

import re
from collections import Counter

from tests.docs.blocks import ROOT

INDEX = ROOT / "docs" / "README.md"
GROUPS = ("Start", "How to", "Topics", "Reference")


def groups() -> dict[str, list[str]]:
    """Group → its pages, as paths from docs/."""
    parts = re.split(r"^## (.*)$", INDEX.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {
        heading: re.findall(r"^\| \[[^]]+\]\(([^)]+)\) \| \S", text, re.MULTILINE)
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_pages_are_grouped_by_what_a_reader_wants() -> None:
    assert tuple(groups()) == GROUPS
    assert all(groups().values())


def test_every_page_is_in_exactly_one_group() -> None:
    listed = Counter(page for pages in groups().values() for page in pages)
    there = {path.name for path in INDEX.parent.glob("*.md")} - {INDEX.name}
    assert listed == Counter(there | {f"../{path.name}" for path in ROOT.glob("*.md")})


def test_the_readme_leads_to_the_index() -> None:
    assert "(docs/README.md)" in (ROOT / "README.md").read_text("utf-8")
