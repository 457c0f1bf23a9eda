"""`kstream log events`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kstream.cli import main

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"


def events(*options: str) -> Result:
    return CliRunner().invoke(main, ["log", "events", str(INCIDENT), *options])


def as_json(*options: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in events("-o", "json", *options).stdout.splitlines()]


def test_all_events_are_told_in_order_each_with_its_resource() -> None:
    told = as_json()
    assert [each["seq"] for each in told] == list(range(1, 540))
    assert told[0].keys() == {"seq", "time", "action", "kind", "namespace", "name", "uid", "data"}
    assert all(each["data"]["uid"] == each["uid"] for each in told)  # type: ignore[index]


def test_those_between_two_points_are_told() -> None:
    assert [each["seq"] for each in as_json("--from", "seq:10", "--to", "seq:12")] == [11, 12]
    late = as_json("--from", "-10s")
    assert [each["seq"] for each in late] == [536, 537, 538, 539]
    assert as_json("--from", "seq:5", "--to", "seq:5") == []


def test_those_of_a_kind_a_namespace_or_a_name_are_told() -> None:
    whole = as_json()
    assert (
        as_json("--kind", "node")
        == as_json("--kinds", "nodes")
        == [each for each in whole if each["kind"] == "node"]
    )
    shop = [each for each in whole if each["kind"] == "pod" and each["namespace"] == "shop"]
    assert as_json("-n", "shop", "--kinds", "pods") == shop != []
    assert as_json("-n", "shop", "--name", "broken-799984445-6279k", "--kind", "pod") == [
        each for each in whole if each["name"] == "broken-799984445-6279k"
    ]


def test_filters_are_those_of_the_state_also_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    both = as_json("-n", "shop,default", "--kinds", "pods")
    assert {each["namespace"] for each in both} == {"shop", "default"}
    assert as_json("-n", "shop", "-n", "default", "--kinds", "pods") == both
    monkeypatch.setenv("KSTREAM_NAMESPACE", "shop,default")
    assert as_json("--kinds", "pods") == both


def test_a_pod_that_begins_to_match_is_added() -> None:
    told = as_json("-l", "app=broken", "--from", "seq:400", "--kinds", "pods")
    assert {each["data"]["labels"]["app"] for each in told if each["action"] != "DELETED"} == {"broken"}  # type: ignore[index]


@pytest.mark.parametrize("command", ["events", "diff"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-n", "Bad_NS"], "--namespace: 'Bad_NS' is no namespace's name"),
        (["--kinds", "foo"], "--kinds: 'foo' must be one of pods, nodes, namespaces"),
        (["-l", "a in ("], "--selector: "),
        (["--from", "+2m", "--to", "+1m"], "--to +1m is before --from +2m"),
        (["--from", "seq:9", "--to", "seq:8"], "--to seq:8 is before --from seq:9"),
        (["--from", "+2s", "--to", "+1s"], "--to +1s is before --from +2s"),  # no event is in between
    ],
)
def test_what_could_only_be_empty_is_refused(command: str, options: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["log", command, str(INCIDENT), *options])
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_an_empty_answer_says_to_people_that_it_is_one() -> None:
    result = events("--name", "nope")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "(no such event is in the log)\n")
    assert events("--name", "nope", "-o", "json").output == ""


def test_a_person_reads_a_line_for_each() -> None:
    lines = events("--from", "seq:531", "--to", "seq:533").stdout.splitlines()
    assert lines == [
        "     532  2026-11-22T21:02:59.598Z  ~ pod        shop/broken-799984445-6279k  Error",
        "     533  2026-11-22T21:03:00.606Z  ~ pod        shop/broken-799984445-6279k  CrashLoopBackOff",
    ]
