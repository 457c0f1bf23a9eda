"""docs/README.md leads to every page, by one way."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, name, pages, prose

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


def anchors(page: str) -> set[str]:
    """What `#…` may lead to, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=name)
def test_links_lead_to_a_page_and_a_heading(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", prose(page.read_text("utf-8"))):
        if "://" in target:
            continue
        there = page.parent / target if target else page
        assert there.exists(), f"{name(page)} links to {target}"
        assert not anchor or anchor in anchors(there.read_text("utf-8")), (
            f"{name(page)} links to {target}#{anchor}"
        )
