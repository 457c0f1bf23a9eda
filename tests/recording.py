"""Reads fixtures/wire: what a real API server sent (see the README there)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from kstream.core.timeline.events import Kind

WIRE = Path(__file__).parent.parent / "fixtures" / "wire"
STREAMS = {Kind.NODE: "nodes", Kind.POD: "pods", Kind.NAMESPACE: "namespaces"}
SECRET = "hunter2"  # the value of an environment variable of every recorded deployment


@cache
def incident() -> tuple[dict[str, Any], ...]:
    """The records of the four streams, in the order in which they came."""
    return tuple(_records("incident.jsonl.gz"))


@cache
def exchanges() -> dict[str, dict[str, Any]]:
    """Single requests and their answers, by name."""
    return {record["name"]: record for record in _records("exchanges.jsonl.gz")}


def lines(kind: Kind) -> list[bytes]:
    """The watch lines of a kind, bookmarks too, as they came over the wire."""
    return [r["body"].encode() for r in incident() if r["stream"] == STREAMS[kind] and r["event"] == "line"]


def lists(kind: Kind) -> list[bytes]:
    return [r["body"].encode() for r in incident() if r["stream"] == STREAMS[kind] and r["event"] == "list"]


class Cells(NamedTuple):
    """What the server prints of a pod."""

    ready: str  # "1/2"
    status: str
    restarts: int


def cells() -> dict[tuple[str, str], Cells]:
    """(uid, resourceVersion) → what the server printed of that version of that pod."""
    found = {}
    for record in incident():
        if record["stream"] == "pods-table" and record["event"] in ("list", "line"):
            body = json.loads(record["body"])
            found.update(table(body["object"] if record["event"] == "line" else body))
    return found


def table(body: dict[str, Any]) -> dict[tuple[str, str], Cells]:
    """The rows of one Table of pods."""
    found = {}
    for row in body["rows"] or ():
        metadata = row["object"]["metadata"]
        _, ready, status, restarts, *_ = row["cells"]
        if "uid" in metadata:  # a bookmark's row has none
            count = int(str(restarts).split(" ")[0])  # "3 (5s ago)"
            found[metadata["uid"], metadata["resourceVersion"]] = Cells(ready, status, count)
    return found


def _records(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(WIRE / name, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
