"""The fixed cases are what the page of them promises."""

from __future__ import annotations

import re
from pathlib import Path

from simulator.certify.cases import CASES
from simulator.certify.harness import KNOWN

RULES = (Path(__file__).parents[3] / "docs" / "rules.md").read_text("utf-8")


def test_every_case_has_an_id_of_its_own_and_says_rule_and_remedy() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    for case in CASES:
        assert re.fullmatch(r"[a-z]+/[a-z-]+", case.id)
        assert re.match(r"contract, [A-Z]|PROTOCOL \d|RFC \d", case.rule), case.id
        assert case.about, case.id
        assert case.remedy, case.id
        assert case.needs <= set(KNOWN), case.id


def test_the_rules_that_are_named_are_written_down() -> None:
    for case in CASES:
        for number in re.findall(r"\d+", case.rule) if case.rule.startswith("PROTOCOL") else ():
            assert f"\n| {number} |" in RULES, case.id


def test_what_a_case_takes_of_real_time_is_known() -> None:
    waits = {case.id: case.waits for case in CASES}
    assert waits["state/whole"] == 0
    assert waits["resume/missed"] == 1
    assert waits["heartbeat/lost"] == 30 + 30 + 10 + 1 + 30
    assert waits["reconnect/retry-after"] == 21
