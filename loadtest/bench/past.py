"""Going into the past: a log of a million events and 150,000 pods, asked for what there was, what happened and when."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from statistics import median
from unittest.mock import patch

from kstream.core.conditions.condition import Condition
from kstream.core.conditions.intervals import Moment
from kstream.core.delivery.filters import EVERYTHING
from kstream.core.timeline.events import Kind, ObjectKey, Verb, WatchEvent, deleted_body
from kstream.core.timeline.state import ClusterState
from kstream.logs.blocks import Indexer
from kstream.logs.lives import life
from kstream.logs.searching import when
from kstream.logs.sqlite import SqliteLog
from kstream.logs.store import Change, Store
from kstream.logs.timelines import timeline
from loadtest.bench.contender import pod
from loadtest.bench.results import Result, amount

_START = 1.7e9
_STEP = 0.02  # seconds from one event to the next
_COMMIT = 200  # events in a transaction, as they come in a busy cluster
_APPENDED = 30_000
_WHERE = 'pod.status == "CrashLoopBackOff" && pod.namespace == "shop-7"'


def past(*, quick: bool) -> list[Result]:
    events, pods = (100_000, 15_000) if quick else (1_000_000, 150_000)
    with tempfile.TemporaryDirectory(prefix="kstream-bench-") as folder:
        path = Path(folder, "log.db")
        store = Store(path)
        batch: list[WatchEvent] = []
        for change in _changes(events, pods):
            batch.append(change)
            if len(batch) == 2000:
                store.commit([Change(batch, {})])
                batch = []
        store.commit([Change(batch, {})])
        store.close()
        found = asyncio.run(_asked(path, events, pods, rounds=5 if quick else 30))
    return [*found, _append(rounds=5 if quick else 15)]


def _changes(count: int, pods: int) -> Iterator[WatchEvent]:
    """Pods that come, change and go in 200 namespaces; one event of fifty makes one crash, its next one ends that."""
    dice, alive = random.Random(7), list[ObjectKey]()
    for number in range(count):
        at, verb, status = _START + number * _STEP, Verb.MODIFIED, "Running"
        if number < pods or (len(alive) < pods and dice.random() < 0.3):
            name = f"web-{number:07x}"
            uid = str(uuid.UUID(int=dice.getrandbits(128)))
            key, verb = ObjectKey(Kind.POD, f"shop-{dice.randrange(200)}", name, uid), Verb.ADDED
            alive.append(key)
        else:
            place = dice.randrange(len(alive))
            key = alive[place]
            if dice.random() < 0.05:
                alive[place] = alive[-1]
                alive.pop()
                yield WatchEvent(Verb.DELETED, key, str(number), at, deleted_body(key))
                continue
            status = "CrashLoopBackOff" if dice.random() < 0.02 else status
        fields = {"name": key.name, "uid": key.uid, "namespace": key.namespace, "phase": "Running"}
        # The entropy of a real one; its own status stands before its containers.
        fields |= {"status": status} | {
            name: value
            for name, value in json.loads(pod(number, 400)).items()
            if name not in (*fields, "status")
        }
        yield WatchEvent(verb, key, str(number), at, json.dumps(fields, separators=(",", ":")).encode())


async def _asked(path: Path, events: int, pods: int, *, rounds: int) -> list[Result]:
    opening = [await _took(lambda: _opened(path)) for _ in range(rounds)]
    log = await SqliteLog.open_read_only(path)
    dice = random.Random(1)
    seqs = [dice.randrange(events // 4, events) for _ in range(rounds)]
    states = [await _spent(lambda seq=seq: log.state_at(seq)) for seq in seqs]  # type: ignore[misc]
    moved = [seqs[-1] + dice.randrange(-pods // 30, pods // 30) for _ in range(rounds)]
    near = [await _spent(lambda seq=seq: log.state_at(seq)) for seq in moved]  # type: ignore[misc]
    folds = [await _spent(lambda seq=seq: _folded(log, seq)) for seq in seqs[:3]]  # type: ignore[misc]
    uids = [(await log.read(seq - 1, seq))[0].change.key.uid for seq in seqs]
    lives = [
        await _took(lambda uid=uid: life(log, uid, after=0, upto=events, most=1000))  # type: ignore[misc]
        for uid in uids
    ]
    ends = (0, _START), (events, _START + events * _STEP)
    buckets = [await _took(lambda: timeline(log, EVERYTHING, *ends, 500)) for _ in range(rounds)]
    condition = Condition.parse(_WHERE)
    start = Moment(0, _START)
    looks = [
        await _took(lambda: when(log, condition, start=start, upto=events, limit=1000))
        for _ in range(max(3, rounds // 4))
    ]
    await log.close()
    return [
        _faster("state at a moment, to the fold from the start, CPU", folds, states[:3]),
        _limit("state at a moment, 99th percentile of CPU in s", _p99(states), 1.0),
        _faster("state at a moment near the one before, to the fold from the start, CPU", folds, near),
        _limit("history of one object, 99th percentile in s", _p99(lives), 0.05),
        _limit("timeline of 500 buckets, median in s", median(buckets), 0.1),
        _limit("opening for reading, median in s", median(opening), 0.5),
        Result(
            "when, over all of it, in M events/s",
            amount(events / median(looks), " events/s"),
            "",
            events / median(looks) / 1e6,
            1.0,
        ),
    ]


def _append(*, rounds: int) -> Result:
    """CPU, with the index and without."""
    changes = list(_changes(_APPENDED + 5000, 5000))[5000:]
    ours, bare = [], []
    for _ in range(rounds):
        ours.append(_committed(changes))
        with patch.object(Indexer, "apply", lambda *_: []):
            bare.append(_committed(changes))
    return Result(
        "append with the index, to one without",
        amount(len(changes) / median(ours), "/CPU s"),
        amount(len(changes) / median(bare), "/CPU s"),
        median(a / b for a, b in zip(ours, bare, strict=True)),
        1.1,
        at_most=True,
    )


def _committed(changes: list[WatchEvent]) -> float:
    with tempfile.TemporaryDirectory(prefix="kstream-bench-") as folder:
        store = Store(Path(folder, "log.db"))
        began = time.process_time()
        for start in range(0, len(changes), _COMMIT):
            store.commit([Change(changes[start : start + _COMMIT], {})])
        took = time.process_time() - began
        store.close()
    return took


async def _opened(path: Path) -> None:
    await (await SqliteLog.open_read_only(path)).close()


async def _folded(log: SqliteLog, seq: int) -> None:
    state = ClusterState()
    for start in range(0, seq, 2000):
        for event in await log.read(start, min(start + 2000, seq)):
            state.apply(event)


async def _took(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds."""
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def _spent(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds of CPU of all threads, which tell the same when something else runs on the machine."""
    began = time.process_time()
    await work()
    return time.process_time() - began


def _faster(name: str, folds: list[float], states: list[float]) -> Result:
    """Of seconds that were spent."""
    return Result(name, _ms(median(states)), _ms(median(folds)), median(folds) / median(states), 50.0)


def _limit(name: str, value: float, limit: float) -> Result:
    return Result(name, _ms(value), "", value, limit, at_most=True)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"


def _p99(values: list[float]) -> float:
    return sorted(values)[max(0, round(len(values) * 0.99) - 1)]
