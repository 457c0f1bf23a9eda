"""docs/faults.md and docs/fake-apiserver.md name all there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from simulator.apiserver.commands import fake_apiserver
from simulator.apiserver.faults import (
    Action,
    Answer,
    ErrorEvent,
    Match,
    Restart,
    Restore,
    Rule,
    Slow,
    When,
)

DOCS = Path(__file__).parents[3] / "docs"
FAULTS = (DOCS / "faults.md").read_text()
SERVER = (DOCS / "fake-apiserver.md").read_text()


@pytest.mark.parametrize("model", [Match, When, Action, Answer, ErrorEvent, Restart, Restore, Rule, Slow])
def test_every_key_of_a_script_is_explained(model: type[BaseModel]) -> None:
    missing = [name for name in model.model_fields if not re.search(rf"`[^`\n]*\b{name}\b[^`\n]*`", FAULTS)]
    assert not missing


def test_every_option_is_explained() -> None:
    options = [option for parameter in fake_apiserver.params for option in parameter.opts]
    assert [option for option in options if f"`{option}" not in SERVER] == []
