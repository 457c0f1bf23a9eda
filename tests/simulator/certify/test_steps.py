"""A script is read as it is printed; what is wrong with one is said."""

from __future__ import annotations

import json

import pytest

from kstream.core.errors import UsageError
from simulator.certify import sequences
from simulator.certify.cases import CASES
from simulator.certify.steps import MOST_BYTES, MOST_STEPS, read_script, written


def test_every_script_is_read_as_it_is_printed() -> None:
    for script in (*(case.script for case in CASES), *map(sequences.script, range(30))):
        assert read_script(json.dumps(written(script))) == script


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("{}", "not a list"),
        (json.dumps([{"do": "back"}] * (MOST_STEPS + 1)), "not a list of at most"),
        (" " * (MOST_BYTES + 1), "longer than"),
        ('[{"do": "back"}, {"do": "fly"}]', "Step 2 of the script: do: there is no 'fly'"),
        ('[{"do": "add"}]', "Step 1 of the script: name: this key is missing"),
        ('[{"do": "add", "name": "A b"}]', "Step 1 of the script: name:"),
        ('[{"do": "refuse", "times": 99}]', "times: must be at most 8"),
        ("[1]", "Step 1 of the script: do:"),
    ],
)
def test_what_is_wrong_with_a_script_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_script(text)
