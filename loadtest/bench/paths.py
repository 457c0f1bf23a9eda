"""From the API server's lines to the log: against the parsers and the database that do less."""

from __future__ import annotations

import asyncio
import gzip
import json
import tempfile
import time
from collections.abc import Callable
from itertools import starmap
from pathlib import Path
from statistics import median

import orjson
from kubernetes_asyncio.watch import Watch

from kstream.core.kube.resources import decode_line
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.recorder import Recorder
from kstream.core.timeline.state import ClusterState
from kstream.logs.connections import connect_for_writing
from kstream.logs.rows import INSERT, rows
from kstream.logs.sqlite import SqliteLog
from loadtest.bench.contender import pod
from loadtest.bench.results import Result, amount

_INCIDENT = Path(__file__).parents[2] / "fixtures" / "wire" / "incident.jsonl.gz"
_VERBS = {verb.value: verb for verb in Verb}
_COMMIT = 200  # events in a transaction, as they come in a busy cluster
_ROWS = 60_000  # enough for the write-ahead log to be emptied on the way


def ingest(*, quick: bool) -> list[Result]:
    lines = _pod_lines()
    passes = 4 if quick else 10
    ours, fast, slow = [], [], []
    for _ in range(3 if quick else 7):
        ours.append(asyncio.run(_record(lines, passes)))
        fast.append(_cpu(lambda: _parse(lines, passes)) / passes / len(lines))
        slow.append(_cpu(lambda: _unmarshalled(lines[:300])) / 300)
    rate = amount(1 / median(ours), " events/CPU s")
    return [
        Result(
            "ingest, to orjson.loads alone",
            rate,
            amount(1 / median(fast), "/CPU s"),
            median(b / a for a, b in zip(ours, fast, strict=True)),
            1.0,
            note="ours are decoded, compared, committed and folded; the peer's are parsed and thrown away",
        ),
        Result(
            "ingest, to kubernetes-asyncio's Watch",
            rate,
            amount(1 / median(slow), "/CPU s"),
            median(b / a for a, b in zip(ours, slow, strict=True)),
            30.0,
        ),
    ]


def append(*, quick: bool) -> list[Result]:
    changes = [
        WatchEvent(
            Verb.MODIFIED, ObjectKey(Kind.POD, "shop", f"pod-{n}", f"uid-{n}"), str(n), 1.7e9, pod(n, 400)
        )
        for n in range(_ROWS)
    ]
    ours, theirs = [], []
    for _ in range(3 if quick else 7):
        theirs.append(_executemany(changes))
        ours.append(asyncio.run(_append(changes)))
    count = len(changes)
    return [
        Result(
            "append, to raw executemany",
            amount(count / median(ours), " events/s"),
            amount(count / median(theirs), " rows/s"),
            median(b / a for a, b in zip(ours, theirs, strict=True)),
            0.7,
            note="rows made, checked and framed; the peer's are made before",
        )
    ]


def _pod_lines() -> list[bytes]:
    with gzip.open(_INCIDENT, "rt") as file:
        records = [json.loads(line) for line in file]
    return [
        record["body"].encode()
        for record in records
        if record["stream"] == "pods"
        and record["event"] == "line"
        and '"type":"BOOKMARK"' not in record["body"]
    ]


async def _record(lines: list[bytes], passes: int) -> float:
    """CPU seconds for each line, from bytes to a committed and folded event."""
    log = await SqliteLog.open_temporary()
    recorder, state = Recorder(ClusterState()), ClusterState()
    began = time.process_time()
    for _ in range(passes):
        for start in range(0, len(lines), _COMMIT):
            changes = []
            for raw in lines[start : start + _COMMIT]:
                line = decode_line(Kind.POD, raw)
                if line.decoded is not None:
                    found = line.decoded
                    changes.append(WatchEvent(_VERBS[line.type], found.key, found.version, 1.7e9, found.body))
            kept = recorder.take(changes)
            if kept:
                after = log.head
                await log.append(kept)
                for seq, change in enumerate(kept, after + 1):
                    state.apply(Event(seq, change))
    used = time.process_time() - began
    await log.close()
    return used / passes / len(lines)


def _parse(lines: list[bytes], passes: int) -> None:
    for _ in range(passes):
        for line in lines:
            orjson.loads(line)


def _unmarshalled(lines: list[bytes]) -> None:
    async def all_of_them() -> None:
        watch = Watch()
        for line in lines:
            watch.unmarshal_event(line.decode(), "V1Pod")
        watch.stop()
        await watch.close()

    asyncio.run(all_of_them())


def _cpu(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


async def _append(changes: list[WatchEvent]) -> float:
    log = await SqliteLog.open_temporary()
    began = time.perf_counter()
    for start in range(0, len(changes), _COMMIT):
        await log.append(changes[start : start + _COMMIT])
    took = time.perf_counter() - began
    await log.close()
    return took


def _executemany(changes: list[WatchEvent]) -> float:
    """The same rows into the same table, the same transactions, the same settings, and nothing else."""
    with tempfile.TemporaryDirectory(prefix="kstream-bench-") as folder:
        connection = connect_for_writing(Path(folder, "raw.db"), max_bytes=None)
        made = rows(starmap(Event, enumerate(changes, 1)))
        began = time.perf_counter()
        for start in range(0, len(made), _COMMIT):
            connection.execute("BEGIN")
            connection.executemany(INSERT, made[start : start + _COMMIT])
            connection.execute("COMMIT")
        took = time.perf_counter() - began
        connection.close()
    return took
