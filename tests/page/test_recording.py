"""What a page plays of a log is the log: its states, its messages, and what a time bar asks of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kstream.cli import main
from kstream.core.delivery import wire
from kstream.core.timeline.events import Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.state import ClusterState, with_pod_count
from kstream.logs.passage import passage
from tests.logs.facts import history
from tests.logs.files import state_at, stored
from tests.node_tests import node, run
from tests.page.test_page import chromium
from tests.pages import recording_in

__all__ = ["chromium", "node"]  # fixtures

INCIDENT = Path(__file__).parents[2] / "fixtures" / "incident.db"


def log(*arguments: str | Path) -> str:
    done = CliRunner().invoke(main, ["log", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.stdout


def digest(state: ClusterState) -> str:
    told = []
    for kind in Kind:
        bodies = {
            entry.key.uid: with_pod_count(entry.body, state.pod_count(entry.key.name))
            if kind is Kind.NAMESPACE
            else entry.body
            for entry in state.entries(kind)
        }
        told.append(b"[%b]" % b",".join(bodies[uid] for uid in sorted(bodies)))
    return hashlib.sha256(b"[%b]" % b",".join(told)).hexdigest()


def case(path: Path, out: Path, *, after: int = 0, every: int = 1) -> dict[str, Any]:
    """A page of a log from there on, and what Python says of it: of the state after every so many events."""
    log("page", path, "-o", out, "--from", f"seq:{after}")
    span = ["--from", f"seq:{after}"]
    state = state_at(path, after)
    states = {after: digest(state)}
    with passage(path, after=after) as found:
        events, status = list(found.events()), found.status
    for event in events:
        state.apply(event)
        if event.seq % every == 0 or event is events[-1]:
            states[event.seq] = digest(state)
    recording, told = recording_in(out)
    asked = list(dict.fromkeys(event.change.key.uid for event in events))[::-1][:10]
    histories = {
        uid: [
            each
            for each in map(json.loads, log("history", path, uid, "-o", "json").splitlines())
            if each["seq"] > after
        ]
        for uid in asked
    }
    timelines = {
        count: [
            json.loads(line)
            for line in log("timeline", path, *span, "--buckets", str(count), "-o", "json").splitlines()
        ]
        for count in (1, 7, 100)
    }
    ends = [timelines[1][0]["from"], timelines[1][0]["to"]]
    return {
        "recording": recording,
        "states": states,
        "histories": histories,
        "timelines": timelines,
        "messages": [json.loads(wire.event(event)) for event in events[:40]],
        "cluster": told["cluster"],
        "epoch": status.epoch,
        "term": status.terms[0].id,
        "terms": [term.id for term in status.terms],
        "from": ends[0],
        "to": ends[1],
    }


def hostile() -> Iterator[WatchEvent]:
    """Texts that would end a script, fields that come, go and change places, lists that grow, names of JavaScript."""
    key = ObjectKey(Kind.POD, "</script>", "__proto__", "constructor")
    bodies: list[dict[str, Any]] = [
        {"name": "__proto__", "uid": "constructor", "namespace": "</script>", "status": "Running"},
        {
            "name": "__proto__",
            "uid": "constructor",
            "namespace": "</script>",
            "status": "<!--<script>",
            "nodeName": "größe",
        },
        {
            "uid": "constructor",
            "name": "__proto__",
            "labels": {"__proto__": "a", "toString": '\u2028"\\\n'},
            "list": [1],
        },
        {
            "uid": "constructor",
            "name": "__proto__",
            "labels": {"__proto__": "b", "toString": '\u2028"\\\n'},
            "list": [1, [True, None, 0.5]],
        },
    ]
    for number, body in enumerate(bodies):
        verb = Verb.MODIFIED if number else Verb.ADDED
        told = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        time = 1_750_000_000.1007 + number  # no whole milliseconds, at either end
        yield WatchEvent(verb, key, ("7", "opaque", "3", "007")[number], time, told)


def uneven() -> Iterator[WatchEvent]:
    """A clock that goes back, and no whole milliseconds."""
    for number, change in enumerate(history(300, seed=5)):
        time = change.time + (0.000_123 if number % 2 else 0) - (40 if 100 < number < 130 else 0)
        yield WatchEvent(change.verb, change.key, change.version, time, change.body)


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    logs = {
        "history": [list(history(1400, seed=3))],
        "uneven": [list(uneven())],
        "hostile": [list(hostile())],
        "written": [list(history(60, seed=2))[:30], list(history(60, seed=2))[30:]],  # by two
    }
    for name, writers in logs.items():
        for changes in writers:
            stored(tmp_path / f"{name}.db", changes)
    spans = {name: (tmp_path / f"{name}.db", 0) for name in logs} | {
        "incident": (INCIDENT, 0),
        "a span of the incident": (INCIDENT, 200),
        "a span of a history": (tmp_path / "history.db", 777),
    }
    every = {"history": 23, "a span of a history": 11, "uneven": 3}  # where states are large
    told = {
        name: case(path, tmp_path / f"{name}.html", after=after, every=every.get(name, 1))
        for name, (path, after) in spans.items()
    }
    (tmp_path / "cases.json").write_text(json.dumps(told))
    return tmp_path / "cases.json"


@pytest.mark.node
async def test_the_recording_of_a_page_is_the_log_at_every_seq(node: str, cases: Path) -> None:
    await run(node, "recording.test.mjs", {"KSTREAM_CASES": str(cases)})


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Pages by the variable that names each to the browser's test."""
    stored(tmp_path / "hostile.db", hostile())
    log("page", INCIDENT, "-o", tmp_path / "file.html")
    log("page", tmp_path / "hostile.db", "-o", tmp_path / "hostile.html")
    content = (tmp_path / "file.html").read_text()
    packed, _ = recording_in(tmp_path / "file.html")
    (tmp_path / "damaged.html").write_text(content.replace(packed, packed[:1000] + "AAAA" + packed[1004:]))
    return {
        f"KSTREAM_{name.upper()}": str(tmp_path / f"{name}.html") for name in ("file", "hostile", "damaged")
    }


@pytest.mark.browser
@pytest.mark.node
async def test_the_file_replays_where_it_is_opened(node: str, chromium: str, files: dict[str, str]) -> None:
    await run(node, "recording-page.test.mjs", {**files, "KSTREAM_CHROMIUM": chromium})
