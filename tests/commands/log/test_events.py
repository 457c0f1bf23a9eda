"""`kstream log events`."""

from __future__ import annotations

import json
from pathlib import Path

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
    assert as_json("--kind", "node") == [each for each in whole if each["kind"] == "node"]
    assert as_json("-n", "shop") == [each for each in whole if each["namespace"] == "shop"]
    assert as_json("-n", "shop", "--name", "broken-799984445-6279k", "--kind", "pod") == [
        each for each in whole if each["name"] == "broken-799984445-6279k"
    ]


def test_a_person_reads_a_line_for_each() -> None:
    lines = events("--from", "seq:531", "--to", "seq:533").stdout.splitlines()
    assert lines == [
        "     532  2026-11-22T21:02:59.598Z  ~ pod        shop/broken-799984445-6279k  Error",
        "     533  2026-11-22T21:03:00.606Z  ~ pod        shop/broken-799984445-6279k  CrashLoopBackOff",
    ]
