"""What a run prints has what a person needs who mends the client, and what a program needs."""

from __future__ import annotations

import json

import click

from simulator.certify import report
from simulator.certify.cases import CASES
from simulator.certify.running import Outcome, Verdict
from simulator.certify.steps import Back, Drop

CASE = next(case for case in CASES if case.id == "resume/missed")
COMMAND = ("node", "my harness.mjs")
FAILED = Verdict(
    CASE,
    Outcome.FAILED,
    seconds=0.1234,
    why="It could go on, and asks for everything",
    about="resume",
    where="step 7",
    lines=("pods: one",),
    sent=("{}", "(cut)"),
    stderr="one\ntwo \x1b[2J",
    script=(Drop(), Back()),
)
SKIPPED = Verdict(CASE, Outcome.SKIPPED, why="its harness cannot fly")


def test_a_failure_says_rule_step_fold_messages_remedy_and_how_to_play_it_again() -> None:
    text = "\n".join(report.particulars(FAILED, COMMAND))
    for said in (
        "rule       PROTOCOL 15",
        "what       It could go on, and asks for everything (step 7)",
        "fold       pods: one",
        "sent last  {}\n                    (cut)",
        "stderr     one\n                    two \\u001b[2J",
        "remedy     Ask with epoch, term and seq",
        'script     [{"do": "drop"}, {"do": "back"}]',
        "again      kstream certify --case resume/missed -- node 'my harness.mjs'",
    ):
        assert said in text, said


def test_the_remedy_is_that_of_the_case_where_the_failure_has_none() -> None:
    assert report.remedy(Verdict(CASE, Outcome.FAILED, about="fold")) == CASE.remedy


def test_a_line_for_each_case_and_one_for_all() -> None:
    assert click.unstyle(report.line(FAILED)).startswith("failed   resume/missed            What was missed")
    assert click.unstyle(report.line(SKIPPED)).endswith("not played: its harness cannot fly")
    passed = Verdict(CASE, Outcome.PASSED)
    assert report.summary([passed, FAILED, SKIPPED], ()) == "1 passed, 1 failed, 1 not played"
    fold = ("nodes", "stale", "seq", "error", "faults", "metrics")
    assert report.summary([passed], fold) == (
        "1 passed, 0 failed; not judged, since its fold has none: podCounts, asOf"
    )


def test_programs_get_all_of_it() -> None:
    told = json.loads(report.as_json([FAILED, SKIPPED], COMMAND, ["start"], ["nodes", "seq"]))
    assert (told["passed"], told["failed"], told["skipped"]) == (0, 1, 1)
    assert told["judged"] == ["nodes", "pods", "namespaces", "seq"]
    failed, skipped = told["cases"]
    assert failed["script"] == [{"do": "drop"}, {"do": "back"}]
    assert (failed["outcome"], failed["seconds"], failed["fold"]) == ("failed", 0.123, ["pods: one"])
    assert skipped["why"] == "its harness cannot fly"
