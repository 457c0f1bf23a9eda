"""The pages about the simulator say what is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.make_scenarios import documents
from simulator.story.actions import action_names

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return documents()


def test_the_page_and_the_pictures_of_the_scenarios_are_current(made: dict[str, str]) -> None:
    for name, text in made.items():
        assert (DOCS / name).read_text("utf-8") == text, "run `python docs/make_scenarios.py`"


def test_every_action_is_in_the_manual() -> None:
    manual = (DOCS / "simulator.md").read_text("utf-8")
    assert [name for name in action_names() if f"`{name}`" not in manual] == []
