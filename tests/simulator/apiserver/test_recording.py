"""A capture that is read can be served; what cannot be is refused before anybody watches, with its file."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from kstream.core.errors import ConfigError
from kstream.core.timeline.events import Kind, Verb
from simulator.apiserver.recording import parse_recording, read_recording
from simulator.apiserver.store import Store


def meta(
    name: Any, version: Any, *, namespace: Any = "shop", created: str = "1970-01-01T00:01:40Z"
) -> dict[str, Any]:
    metadata = {
        "name": name,
        "namespace": namespace,
        "resourceVersion": version,
        "creationTimestamp": created,
    }
    return {"metadata": metadata}


def listed(t: float, *items: dict[str, Any], version: str = "10", stream: str = "pods") -> str:
    body = json.dumps({"metadata": {"resourceVersion": version}, "items": items})
    return json.dumps({"t": t, "stream": stream, "event": "list", "body": body})


def line(t: float, verb: str, item: dict[str, Any], stream: str = "pods") -> str:
    return json.dumps(
        {"t": t, "stream": stream, "event": "line", "body": json.dumps({"type": verb, "object": item})}
    )


def captured(*lines: str) -> bytes:
    return "\n".join(lines).encode()


GOOD = captured(
    listed(0.5, meta("b", "7"), meta("a", "4")),
    listed(0.25, version="12", stream="namespaces"),
    line(3.0, "ADDED", meta("c", "13")),
    "",
    line(2.0, "MODIFIED", meta("a", "14")),
    line(4.0, "BOOKMARK", meta("", "15")),
    line(5.0, "DELETED", meta("b", "16")),
    line(6.0, "ADDED", meta("x", "17"), stream="pods-table"),
    json.dumps({"t": 7.0, "stream": "pods", "event": "end"}),
)


@pytest.mark.parametrize("content", [GOOD, gzip.compress(GOOD, mtime=0)], ids=["plain", "compressed"])
def test_what_was_listed_is_there_and_the_rest_follows_in_the_order_of_its_versions(content: bytes) -> None:
    recording = parse_recording(content)
    told = [(change.time, change.verb, change.object["metadata"]["name"]) for change in recording.changes]
    assert told == [
        (97.5, Verb.ADDED, "a"),
        (97.5, Verb.ADDED, "b"),
        (100.0, Verb.ADDED, "c"),
        (100.0, Verb.MODIFIED, "a"),  # its stream was behind: times never go back
        (102.0, Verb.DELETED, "b"),
    ]
    store = Store()
    recording.load(store)
    assert (store.version, store.compacted, store.count(Kind.POD)) == (12, 12, 2)
    assert recording.next_time() == 100.0
    assert [change.verb for change in recording.until(100.0)] == [Verb.ADDED, Verb.MODIFIED]
    assert [change.verb for change in recording.until(1e9)] == [Verb.DELETED]
    assert recording.next_time() is None


def test_a_capture_of_nothing_is_an_empty_cluster() -> None:
    recording = parse_recording(b"")
    assert (list(recording.changes), recording.next_time()) == ([], None)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"<html>", "JSON is malformed"),
        (b"[" * 3_000, "Expected `object`, got `array`"),
        (
            captured(listed(0).replace('"body": "', '"body": "' + "[" * 3_000)),
            "maximum recursion depth exceeded",
        ),
        (gzip.compress(GOOD, mtime=0)[:60], "Compressed file ended"),
        (gzip.compress(GOOD, mtime=0)[:40] + bytes(60), "while decompressing data"),
        (b"\x1f\x8b\x07" + bytes(20), "Unknown compression method"),
        (captured(listed(0, meta(["a"], "1"))), "the name of a pod is no text"),
        (captured(listed(0, meta("a", "1", namespace=7))), "the namespace of a pod is no text"),
        (captured(listed(0, meta("a", 1))), "the resourceVersion of a pod is no text"),
        (captured(listed(0, meta("a", "one"))), "invalid literal for int()"),
        (captured(listed(0, {"metadata": {"resourceVersion": "1"}})), "'name'"),
        (captured(listed(0, meta("a", "1"), meta("b", "1"))), "version 1 is not newer than 1"),
        (captured(line(0, "DELETED", meta("a", "1"))), "pod shop/a cannot be deleted: it is not there"),
        (captured(line(0, "ADDED", meta("a", "1", created="soon"))), "Invalid isoformat string"),
    ],
    ids=map(str, range(13)),
)
def test_what_cannot_be_served_is_refused_with_its_file(tmp_path: Path, content: bytes, cause: str) -> None:
    path = tmp_path / "capture.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        read_recording(path)
    assert str(refused.value).startswith(f"{path}: cannot be read as a capture: ")
    assert cause in str(refused.value)
    assert str(refused.value).endswith("; see docs/fake-apiserver.md")


def test_a_capture_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.jsonl: cannot be read as a capture: "):
        read_recording(tmp_path / "none.jsonl")
