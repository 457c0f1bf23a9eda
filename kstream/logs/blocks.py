"""The index of a log: for each event which object it is of and what it did, a thousand events in a row.

A history of one object, a timeline and a search would else read all bodies. A block has five bytes for each event: a
hash of the uid and a code. An SQL index by uid would cost an append half of its speed, since each event touches another
page of it; a block is one more row in a thousand. Like keyframes they sit at places that depend on the events alone.
"""

from __future__ import annotations

import itertools
import operator
import sqlite3
import struct
import sys
import zlib
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from kstream.core.errors import LogFormatError
from kstream.core.timeline.blocks import Block
from kstream.core.timeline.codes import BAD, CODES, UNREADABLE, WAS_BAD
from kstream.core.timeline.events import Kind
from kstream.core.timeline.wellness import RUNNING, is_unwell
from kstream.logs.checksum import crc32
from kstream.logs.keyframes import packed_refs, unpacked_refs

LENGTH: Final = 1000  # events of a block, unless more than so many objects are bad

_UID: Final = operator.itemgetter(6)

Uid = tuple[str, str]
"""Kind and uid."""

Row = tuple[int, float, str, str, str, str, str, str, str, int]
"""As `rows.rows` makes them, and as SELECT * finds them."""


class Indexer:
    """Makes blocks of events, in their order; the writer keeps one, and so does who reads what no block has yet."""

    def __init__(
        self,
        seq: int = 0,
        time: float = 0.0,
        bad: Iterable[tuple[int, Uid]] = (),
        *,
        length: int = LENGTH,
    ) -> None:
        """After event `seq`; `bad`: what is in a bad state then, and the event that last touched it."""
        self._length = length
        self.start = seq  # where the last block ended
        self.reached = seq  # the last event that was applied
        self._time = time
        self._bad: dict[str, dict[str, int]] = {kind.value: {} for kind in Kind}
        for ref, (kind, uid) in bad:
            self._bad[kind][uid] = ref
        self._uids = bytearray()
        self._names: list[str] = []
        self._codes = bytearray()
        self._schedule()

    def apply(self, rows: Sequence[Row], odd: Sequence[int] | None = None) -> list[Block]:
        """The blocks that end with some of these rows, which have the text of bodies; `odd`: `odd_of(rows)`.

        What is not as it was written is of no object, and is found when it is read.
        """
        made: list[Block] = []
        places = deque(odd_of(rows) if odd is None else odd)
        begun = 0
        while begun < len(rows):
            part = rows[begun : begun + self._due - self.reached]
            begun += len(part)
            # Those of this part, as places in it.
            some: list[int] = []
            while places and places[0] < begun:
                some.append(places.popleft() - begun + len(part))
            self._add(part, some)
            if self.reached >= self._due:
                made.append(self.cut())
        return made

    def _add(self, part: Sequence[Row], odd: Sequence[int]) -> None:
        uids, codes = list(map(_UID, part)), bytearray(len(part))
        bad_pods, others = self._bad["pod"], {uids[place] for place in odd}
        # A pod that goes on running has code 0, unless it was bad before.
        if len(others) == len(odd) == 0 and bad_pods.keys().isdisjoint(uids):
            places = []
        else:
            places = [place for place, uid in enumerate(uids) if uid in others or uid in bad_pods]
        for place in places:
            seq, _, verb, kind, _, name, uid, _, body, _ = part[place]
            try:
                bad, code = self._bad[kind], CODES[kind, verb]
                if bad and bad.pop(uid, None) is not None:
                    code |= WAS_BAD
                if verb == "ADDED":
                    self._names.append(name)
                if verb != "DELETED" and RUNNING not in body and is_unwell(body):
                    bad[uid] = seq
                    code |= BAD
                codes[place] = code
            except (KeyError, TypeError, AttributeError):  # it has no such kind or verb, or no text
                codes[place] = UNREADABLE
        self._uids += _hashes(uids)  # now, while they are in the processor's cache
        self._codes += codes
        self.reached, time, *_ = part[-1]
        if isinstance(time, float):
            self._time = time

    def cut(self) -> Block:
        """End a block with the last event."""
        refs = sorted(ref for objects in self._bad.values() for ref in objects.values())
        names = _hashes(self._names)
        made = Block(
            self.reached,
            self._time,
            bytes(self._uids),
            names,
            bytes(self._codes),
            len(refs),
            packed_refs(refs),
        )
        self._uids.clear()
        self._names.clear()
        self._codes.clear()
        self.start = self.reached
        self._schedule()
        return made

    def _schedule(self) -> None:
        # As many events as there are bad objects, or a node that takes half of a cluster with it would fill the file.
        self._due = self.reached + max(self._length, sum(map(len, self._bad.values())))


def odd_of(rows: Sequence[Row]) -> list[int]:
    """The places of the rows that are not of a pod that goes on running."""
    return [
        place
        for place, row in enumerate(rows)
        if row[2] != "MODIFIED" or row[3] != "pod" or type(row[8]) is not str or RUNNING not in row[8]
    ]


def _hashes(texts: Sequence[str]) -> bytes:
    try:
        made = array("I", map(crc32, map(str.encode, texts), itertools.repeat(0)))
    except TypeError:  # of a damaged row
        return _hashes([text if type(text) is str else "" for text in texts])
    if sys.byteorder == "big":
        made.byteswap()
    return made.tobytes()


def insert(connection: sqlite3.Connection, made: Sequence[Block]) -> None:
    """Write blocks, within the caller's transaction."""
    if not made:
        return
    connection.executemany(
        "INSERT INTO blocks (seq, time, uids, names, codes, bad, refs, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(*block, _crc(*block)) for block in made],
    )


def kept(connection: sqlite3.Connection, after: int, upto: int) -> Iterator[Block]:
    """The blocks in which are events with after < seq <= upto, as far as there are any.

    Raises LogFormatError for one that is not as it was written, and for a gap between them.
    """
    before: int | None = None
    for row in connection.execute("SELECT * FROM blocks WHERE seq > ? ORDER BY seq", (after,)):
        block = _read(*row)
        if before is not None and block.first != before + 1:
            raise _damaged(block.seq, f"it begins with event {block.first}, after {before}")
        before = block.seq
        yield block
        if block.seq >= upto:
            return


def straddles(connection: sqlite3.Connection, seq: int) -> bool:
    """A block ends with event `seq` or later."""
    return connection.execute("SELECT 1 FROM blocks WHERE seq >= ?", (seq,)).fetchone() is not None


def last(connection: sqlite3.Connection, seq: int) -> Block | None:
    """The one that ends at or before `seq`, and last. Raises LogFormatError."""
    row = connection.execute(
        "SELECT * FROM blocks WHERE seq <= ? ORDER BY seq DESC LIMIT 1", (seq,)
    ).fetchone()
    return None if row is None else _read(*row)


def refs_of(block: Block) -> list[int]:
    """The events that last touched the objects that are in a bad state after a block. Raises LogFormatError."""
    try:
        found = unpacked_refs(block.refs, most=block.bad)
        if len(found) != block.bad:
            raise ValueError(f"it does not name {block.bad} objects")
    except (zlib.error, ValueError) as error:
        raise _damaged(block.seq, str(error)) from error
    return found


def _read(
    seq: int, time: float, uids: bytes, names: bytes, codes: bytes, bad: int, refs: bytes, crc: int
) -> Block:
    try:
        if _crc(seq, time, uids, names, codes, bad, refs) != crc:
            raise ValueError("its checksum does not match")
        if len(uids) != 4 * len(codes) or not 0 < len(codes) <= seq or len(names) % 4:
            raise ValueError("its parts are of other lengths")
    except (ValueError, TypeError, struct.error) as error:
        raise _damaged(seq, str(error)) from error
    return Block(seq, time, uids, names, codes, bad, refs)


def _crc(seq: int, time: float, uids: bytes, names: bytes, codes: bytes, bad: int, refs: bytes) -> int:
    crc = zlib.crc32(struct.pack("<qdqqq", seq, time, bad, len(uids), len(names)))
    for part in (uids, names, codes, refs):
        crc = zlib.crc32(part, crc)
    return crc


def _damaged(seq: object, cause: str) -> LogFormatError:
    return LogFormatError(
        f"the event log is damaged: block {seq} of its index is not as it was written ({cause}); restore the file from"
        " a copy"
    )
