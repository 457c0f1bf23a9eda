"""The objects of a state, read by the events that last touched them: many at once, in the order of the file."""

from __future__ import annotations

import json
import sqlite3
import struct
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import repeat, zip_longest
from typing import Any, Final

from kstream.core.timeline.events import Kind, ObjectKey
from kstream.core.timeline.state import Entry, entries_of
from kstream.logs import rows
from kstream.logs.checksum import crc32
from kstream.logs.keyframes import EARLIEST, LATEST

_AT_ONCE: Final = 512  # rows: what is made of them is made while they are in the processor's cache
_COLUMNS: Final = len(rows.COLUMNS.split(", "))
_POD: Final = Kind.POD
_NUMBERS: Final = struct.Struct("<qd").pack


def entries(connection: sqlite3.Connection, refs: Iterable[int]) -> dict[int, Entry]:
    """For each of these events, wherever retention has put it, its object as it was after it; seqs ascend.

    Of a log whose checksums are of whole rows (`rows.WHOLE`). Raises LogFormatError for an event that is missing or
    not as it was written.
    """
    wanted = sorted(refs)
    (oldest,) = connection.execute("SELECT min(seq) FROM events").fetchone()
    begin = len(wanted) if oldest is None else bisect_left(wanted, oldest)
    made: dict[int, Entry] = {}
    for table, part in (("baseline", wanted[:begin]), ("events", wanted[begin:])):
        # Ascending, a seek goes from a page to the next one: a quarter of what it takes from place to place.
        found = connection.execute(rows.picking(table, rows.COLUMNS), (json.dumps(part),))
        for start in range(0, len(part), _AT_ONCE):
            asked = part[start : start + _AT_ONCE]
            made.update(zip(asked, _made(asked, found.fetchmany(_AT_ONCE)), strict=True))
    return made


def _made(asked: Sequence[int], found: Sequence[Any]) -> list[Entry]:
    seqs, times, verbs, kinds, namespaces, names, uids, versions, bodies, crcs = (
        zip(*found, strict=True) if found else ((),) * _COLUMNS
    )
    if seqs != tuple(asked):
        raise rows.lacking(next(ref for ref, seq in zip_longest(asked, seqs) if ref != seq))
    try:
        ends = repeat("", len(found))  # of the last word too
        texts = zip(verbs, kinds, namespaces, names, uids, versions, ends, strict=True)
        words = map(str.encode, map("\0".join, texts))
        whole = map(crc32, bodies, map(crc32, words, map(crc32, map(_NUMBERS, seqs, times), repeat(0))))
        if tuple(whole) == crcs and min(times) >= EARLIEST and max(times) < LATEST:
            what = repeat(_POD) if kinds.count("pod") == len(kinds) else map(rows.KINDS.__getitem__, kinds)
            return entries_of(list(map(ObjectKey, what, namespaces, names, uids)), versions, bodies)
    except (KeyError, TypeError, AttributeError, struct.error):
        pass
    # One by one, which says what is wrong with which.
    changes = [event.change for event in rows.events(found, rows.whole_checksum)]
    return [
        entry for change in changes for entry in entries_of([change.key], [change.version], [change.body])
    ]
