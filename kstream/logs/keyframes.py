"""Keyframes: which events make up the state at a point, so that a seek folds a few rows and not the past.

A keyframe holds no bodies. It is the list of the seqs of the events that last touched each living object; their
rows are in the table of events already (or in `baseline`, when retention removed them from there). So keyframes
cost little, can be written in the same transaction as the event that they follow, and sit at places that
depend on the events alone, never on how these were batched.
"""

from __future__ import annotations

import itertools
import operator
import sqlite3
import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from kstream.core.errors import LogFormatError
from kstream.core.timeline.events import Event, Kind, Verb, WatchEvent

FIRST_FORMAT: Final = 2  # of a log, that has them
EARLIEST: Final = -62_135_596_800.0  # seconds since the Unix epoch that have a date: the year 1
LATEST: Final = 253_402_300_800.0  # and the first that has none: the year 10000
_OBJECTS: Final = 10_000_000  # that a keyframe may be of: sixty times the largest cluster there is
_LEAST_DISTANCE: Final = 1000  # events from one keyframe to the next, when there are few objects


class Keyframe(NamedTuple):
    """The state after event `seq`: the events `refs`, grouped by kind, each in the order the objects came."""

    seq: int
    time: float
    refs: Sequence[int]


class LiveSet:
    """The fold of the log that the writer keeps: of each living object, the seq of its last event."""

    def __init__(self) -> None:
        self.seq = 0
        self.time = 0.0
        self._kinds: dict[Kind, dict[str, int]] = {kind: {} for kind in Kind}
        self._due = _LEAST_DISTANCE

    def apply(self, events: Iterable[Event]) -> list[Keyframe]:
        """Fold events in; the keyframes that belong right after some of them."""
        frames: list[Keyframe] = []
        # Members of an Enum are slow to look up: once is enough, and so is identity.
        deleted, pod = Verb.DELETED, Kind.POD
        kinds, pods, due = self._kinds, self._kinds[pod], self._due
        change: WatchEvent | None = None
        for event in events:
            seq, change = event.seq, event.change
            key = change.key
            objects = pods if key.kind is pod else kinds[key.kind]
            if change.verb is deleted:
                objects.pop(key.uid, None)
            else:
                objects[key.uid] = seq
            if seq >= due:
                self.seq, self.time = seq, change.time
                frames.append(self.keyframe())
                due = self._schedule()
        if change is not None:
            self.seq, self.time = seq, change.time
        return frames

    def load(self, seq: int, time: float, rows: Iterable[tuple[int, str, str]]) -> None:
        """Take over a keyframe: rows of (seq, kind, uid), in the order of its refs; `time`: seconds since the epoch."""
        for ref, kind, uid in rows:
            self._kinds[Kind(kind)][uid] = ref
        self.seq, self.time = seq, time
        self._schedule()

    def keyframe(self) -> Keyframe:
        """The state as it is now."""
        refs = list(itertools.chain.from_iterable(objects.values() for objects in self._kinds.values()))
        return Keyframe(self.seq, self.time, refs)

    def _schedule(self) -> int:
        # As many events as objects: one ref is written for an event, and a seek folds no more rows than it loads.
        self._due = self.seq + max(_LEAST_DISTANCE, sum(map(len, self._kinds.values())))
        return self._due


def insert(connection: sqlite3.Connection, frames: Sequence[Keyframe]) -> None:
    """Write keyframes, within the caller's transaction."""
    if not frames:
        return
    connection.executemany(
        "INSERT OR REPLACE INTO keyframes (seq, time, objects, refs, crc) VALUES (?, ?, ?, ?, ?)",
        [
            (frame.seq, frame.time, len(frame.refs), packed, _crc(frame.seq, frame.time, packed))
            for frame in frames
            for packed in [packed_refs(frame.refs)]
        ],
    )


def nearest(connection: sqlite3.Connection, seq: int) -> Keyframe | None:
    """The last keyframe at or before `seq`. Raises LogFormatError when it is damaged."""
    row = connection.execute(
        "SELECT * FROM keyframes WHERE seq <= ? ORDER BY seq DESC LIMIT 1", (seq,)
    ).fetchone()
    return None if row is None else _read(*row)


def every(connection: sqlite3.Connection) -> list[Keyframe]:
    """All keyframes. Raises LogFormatError when one is damaged."""
    return [_read(*row) for row in connection.execute("SELECT * FROM keyframes ORDER BY seq")]


def _read(seq: int, time: float, objects: int, packed: bytes, crc: int | None = None) -> Keyframe:
    """A keyframe from its row; formats before 3 have no checksum."""
    try:
        if crc is not None and _crc(seq, time, packed) != crc:
            raise ValueError("its checksum does not match")
        refs = unpacked_refs(packed, most=objects)
        if len(refs) != objects:
            raise ValueError(f"it does not hold {objects} objects")
        if not EARLIEST <= time < LATEST:
            raise ValueError(f"its time is {time} seconds, which has no date")
    except (zlib.error, ValueError, TypeError, struct.error) as error:
        raise LogFormatError(
            f"the event log is damaged: keyframe {seq} is not as it was written ({error}); restore the file from a copy"
        ) from error
    return Keyframe(seq, time, refs)


def _crc(seq: int, time: float, packed: bytes) -> int:
    return zlib.crc32(packed, zlib.crc32(struct.pack("<qd", seq, time)))


def packed_refs(refs: Sequence[int]) -> bytes:
    """The differences from one ref to the next, as little-endian 64-bit numbers, deflated with a checksum."""
    steps = array("q", itertools.chain(refs[:1], map(operator.sub, refs[1:], refs)))
    if sys.byteorder == "big":
        steps.byteswap()
    return zlib.compress(steps.tobytes(), 1)


def unpacked_refs(packed: bytes, *, most: int) -> list[int]:
    """Raises ValueError for what would inflate to more than `most` refs, and inflates no more of it."""
    steps, inflating = array("q"), zlib.decompressobj()
    data = inflating.decompress(packed, max(0, min(most, _OBJECTS)) * steps.itemsize + 1)
    if not inflating.eof:
        raise ValueError(f"it does not hold {most} objects")
    steps.frombytes(data)
    if sys.byteorder == "big":
        steps.byteswap()
    return list(itertools.accumulate(steps))
