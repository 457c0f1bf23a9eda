"""`kstream log state`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from click.testing import CliRunner, Result

from kstream.cli import main
from kstream.core.timeline.events import Verb, WatchEvent
from kstream.logs.sqlite import SqliteLog
from tests.making import START, namespace_key, node_key, pod_key

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"


def state(*options: str) -> Result:
    return CliRunner().invoke(main, ["log", "state", str(INCIDENT), *options])


def test_the_message_of_a_moment_is_the_fold_of_the_events_up_to_it() -> None:
    held: dict[str, object] = {}
    lines = CliRunner().invoke(main, ["log", "events", str(INCIDENT), "-o", "json"]).stdout.splitlines()
    for line in lines[:400]:
        event = json.loads(line)
        if event["kind"] == "pod":
            held.pop(event["uid"], None)
            if event["action"] != "DELETED":
                held[event["uid"]] = event["data"]
    message = json.loads(state("--at", "seq:400", "-o", "json").stdout)
    assert (message["type"], message["seq"], message["timestamp"]) == (
        "initial_state",
        400,
        json.loads(lines[399])["time"],
    )
    assert {pod["uid"]: pod for pod in message["data"]["pods"]} == held


def test_only_the_pods_of_a_namespace_are_told() -> None:
    message = json.loads(state("-n", "shop", "-o", "json").stdout)
    assert {pod["namespace"] for pod in message["data"]["pods"]} == {"shop"}
    assert [each["name"] for each in message["data"]["namespaces"]] == ["shop"]
    assert len(message["data"]["nodes"]) == 4


def test_a_person_reads_tables() -> None:
    head, nodes, spaces, pods = state().stdout.strip().split("\n\n")
    assert head == "2026-11-22T21:03:17.656Z  after event 539: 4 nodes, 11 pods, 5 namespaces"
    assert nodes.splitlines()[:2] == ["NODE    STATUS  ROLE", "node-1  Ready   control-plane"]
    assert len(spaces.splitlines()) == 6
    assert pods.splitlines()[0].split() == ["NAMESPACE", "POD", "STATUS", "NODE"]
    assert len(pods.splitlines()) == 12


def test_a_state_may_be_of_some_kinds_and_of_pods_by_their_labels() -> None:
    whole = json.loads(state("-o", "json").stdout)["data"]["pods"]
    labels = {(name, value) for pod in whole for name, value in pod["labels"].items() if "/" not in name}
    name, value = min(labels)
    message = json.loads(state("-l", f"{name}={value}", "--kinds", "pods", "-o", "json").stdout)
    assert message["data"]["pods"] == [pod for pod in whole if pod["labels"].get(name) == value] != []
    assert (message["data"]["nodes"], message["data"]["namespaces"]) == ([], [])
    assert state("--kinds", "namespaces,nodes").exit_code == 0, "there is no number of pods to tell"


def test_what_is_no_filter_is_named() -> None:
    for options, said in (
        (("-l", "=web"), "--selector: '=' stands where a label's name is due"),
        (("--kinds", "foo"), "--kinds: 'foo' must be one of pods, nodes, namespaces"),
    ):
        refused = state(*options)
        assert refused.exit_code == 2
        assert said in refused.stderr


def test_a_resource_that_lacks_what_others_have_is_told_with_what_it_has(tmp_path: Path) -> None:
    async def bare() -> None:
        log = await SqliteLog.open(tmp_path / "log.db")
        keys = [node_key("n1"), pod_key("p1"), namespace_key("default")]
        facts = [
            WatchEvent(Verb.ADDED, key, "1", START, b'{"name":"%b"}' % key.name.encode()) for key in keys
        ]
        await log.append(facts)
        await log.close()

    asyncio.run(bare())
    told = CliRunner().invoke(main, ["log", "state", str(tmp_path / "log.db")])
    assert (told.exit_code, told.exception) == (0, None)
    assert [line.split()[:1] for line in told.stdout.splitlines() if line][2::2] == [
        ["n1"],
        ["default"],
        ["p1"],
    ]
