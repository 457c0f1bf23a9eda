"""`kstream log history`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kstream.cli import main

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"


def history(*options: str) -> Result:
    return CliRunner().invoke(main, ["log", "history", str(INCIDENT), *options])


def all_events() -> list[dict[str, object]]:
    lines = CliRunner().invoke(main, ["log", "events", str(INCIDENT), "-o", "json"]).stdout.splitlines()
    return [json.loads(line) for line in lines]


NAME = "broken-799984445-6279k"


def test_every_event_of_an_object_is_told_with_what_changed() -> None:
    told = [json.loads(line) for line in history(f"pod/shop/{NAME}", "-o", "json").stdout.splitlines()]
    events = [each for each in all_events() if each["name"] == NAME]
    assert [each["seq"] for each in told] == [each["seq"] for each in events]
    assert [each["action"] for each in told] == [each["action"] for each in events]
    assert told[0]["changes"] == []
    for each, event in zip(told[1:], events[1:], strict=True):
        status = [change for change in each["changes"] if change["path"] == "status"]
        assert not status or status[0]["after"] == event["data"]["status"]  # type: ignore[index]
        assert bool(each["changes"]) is (event["action"] == "MODIFIED")


def test_an_object_is_found_by_its_uid_and_by_short_names() -> None:
    whole = history(f"pod/shop/{NAME}").stdout
    uid = whole.split()[4]
    assert history(uid).stdout == whole
    assert history(f"po/shop/{NAME}").stdout == history(f"pods/shop/{NAME}").stdout == whole
    assert history("no/node-1").stdout == history("node/node-1").stdout != ""
    assert history("ns/shop").stdout.count("ADDED") == 1


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("pod/shop/nobody", "nothing is recorded of 'pod/shop/nobody'"),
        ("pod/nobody", "a pod has a namespace"),
        ("node/a/b", "a node and a namespace have none"),
        ("service/a/b", "give a uid, pod/NAMESPACE/NAME"),
        ("no-such-uid", "nothing is recorded of 'no-such-uid'"),
    ],
)
def test_what_is_none_is_refused_with_what_to_give(wanted: str, says: str) -> None:
    result = history(wanted)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr
