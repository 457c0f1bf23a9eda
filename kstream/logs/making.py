"""A log that is made as a whole, of what another file holds: a state to begin with, then events."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from kstream.core.timeline.events import Event
from kstream.logs import indexing, keyframes, rows
from kstream.logs.connections import connect_for_making, translated
from kstream.logs.reading import Status

_ROWS: Final = 256  # that are written at a time
_INTO_BASELINE: Final = rows.INSERT.replace("INTO events", "INTO baseline")


class Start(NamedTuple):
    """The state that the events go on from: that after event `seq`, which was at `time`."""

    seq: int  # 0 for nothing
    time: float  # seconds since the Unix epoch
    objects: Iterable[Event]  # the events that last touched each of them, kind by kind, as they came


class Made(NamedTuple):
    """What is in a log that was made."""

    objects: int  # at the beginning
    first: int  # seq of the first event
    last: int  # and of the last one; first - 1 for none

    @property
    def events(self) -> int:
        return self.last + 1 - self.first


def make(written: Path, path: Path, status: Status, start: Start, events: Iterable[Event]) -> Made:
    """Make a log in the empty file `written`, which is to be called `path`: with epoch, terms, cluster, versions and
    meta of `status`. `events` go on from `start` without a gap; some of them are in memory.

    Raises LogError, of `path`; what is wrong with what is read is raised as it is.
    """
    with translated(path, written=written), closing(connect_for_making(written)) as connection:
        connection.execute("BEGIN")
        _identify(connection, status)
        live = _begin(connection, start)
        objects = len(live.keyframe().refs)
        last = start.seq
        for some in _batches(events):
            connection.executemany(rows.INSERT, rows.rows(some))
            keyframes.insert(connection, live.apply(some))
            last = some[-1].seq
        indexing.build(connection)
        connection.execute("COMMIT")
    return Made(objects, start.seq + 1, last)


def _identify(connection: sqlite3.Connection, status: Status) -> None:
    meta = {**status.meta, "epoch": json.dumps(status.epoch)}
    if status.cluster is not None:
        meta["cluster"] = json.dumps(status.cluster._asdict())
    rows.put_pairs(connection, "meta", meta)
    rows.put_pairs(connection, "versions", status.versions)
    for term in status.terms:
        rows.put_term(connection, term)


def _begin(connection: sqlite3.Connection, start: Start) -> keyframes.LiveSet:
    known: list[tuple[int, str, str]] = []
    for some in _batches(start.objects):
        connection.executemany(_INTO_BASELINE, rows.rows(some))
        known += [(event.seq, event.change.key.kind.value, event.change.key.uid) for event in some]
    live = keyframes.LiveSet()
    live.load(start.seq, start.time, known)
    if start.seq:
        keyframes.insert(connection, [live.keyframe()])
    return live


def _batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    each = iter(events)
    while some := list(itertools.islice(each, _ROWS)):
        yield some
