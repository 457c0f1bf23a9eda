"""`kstream log diff`."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from kstream.cli import main

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"


def diff(*options: str) -> Result:
    return CliRunner().invoke(main, ["log", "diff", str(INCIDENT), *options])


def states(at: str) -> dict[str, object]:
    told = CliRunner().invoke(main, ["log", "state", str(INCIDENT), "--at", at, "-o", "json"]).stdout
    return {item["uid"]: item for items in json.loads(told)["data"].values() for item in items}


def test_what_came_went_and_changed_is_what_the_two_states_say() -> None:
    before, after = states("seq:150"), states("seq:400")
    told = [
        json.loads(line)
        for line in diff("--from", "seq:150", "--to", "seq:400", "-o", "json").stdout.splitlines()
    ]
    by_action = {
        action: {each["uid"] for each in told if each["action"] == action}
        for action in ("ADDED", "DELETED", "MODIFIED")
    }
    assert by_action == {
        "ADDED": after.keys() - before.keys(),
        "DELETED": before.keys() - after.keys(),
        "MODIFIED": {uid for uid in before.keys() & after.keys() if before[uid] != after[uid]},
    }
    assert all(bool(each["changes"]) is (each["action"] == "MODIFIED") for each in told)


def test_between_a_moment_and_itself_there_is_no_difference() -> None:
    same = diff("--from", "seq:300", "--to", "seq:300")
    assert (same.stdout, same.stderr) == ("", "(nothing is different between these moments)\n")


def test_a_person_reads_what_changed_by_its_path() -> None:
    lines = diff("--from", "seq:532", "--to", "seq:533").stdout.splitlines()
    assert lines[0] == "~ pod shop/broken-799984445-6279k"
    assert "    status: Error → CrashLoopBackOff" in lines


def test_only_what_is_asked_for_is_compared() -> None:
    told = diff("--from", "seq:150", "--to", "seq:400", "--kinds", "pods", "-n", "shop", "-o", "json").stdout
    found = [json.loads(line) for line in told.splitlines()]
    assert {(each["kind"], each["namespace"]) for each in found} == {("pod", "shop")}
    assert diff("-l", "no-such-label").stdout.count("pod ") == 0
