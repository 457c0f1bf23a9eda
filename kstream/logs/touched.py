"""Which events last touched the objects that live at a moment, told by a keyframe and the index: no row is read for it.

A keyframe may be as many events ago as there are objects. The index has of each event the hash of its uid, and whether
it added its object or deleted it: enough to go on from the keyframe, unless two objects have one hash. Of those few the
rows are read. What does not fit together is left to the fold of the rows, which says what is wrong.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import compress, count, islice
from typing import Final, NamedTuple

from kstream.core.errors import LogFormatError
from kstream.core.timeline.blocks import hashed, hashes
from kstream.core.timeline.codes import ADDED, CODES, MEANINGS, VERB
from kstream.core.timeline.state import Entry
from kstream.logs import blocks, rows
from kstream.logs.entries import entries
from kstream.logs.keyframes import Keyframe

_BEFORE: Final = 4  # times as many events as objects: of the blocks before a keyframe that are looked at
_DOUBTFUL: Final = (
    5000  # events of objects whose hash another one has, too, that are read: of a million a few are
)
_ADDED: Final = bytes(code & VERB == ADDED for code in range(256))
_ODD: Final = bytes(code & VERB != 0 for code in range(256))
_CHANGED: Final = bytes(code & VERB == 0 for code in range(256))


class Touched(NamedTuple):
    """The state after an event that was at `time`, seconds since the Unix epoch: the events `refs`, those of each kind
    in the order in which their objects came; of some the object is `known`."""

    time: float
    refs: Sequence[int]
    known: Mapping[int, Entry]


def touched(connection: sqlite3.Connection, frame: Keyframe, seq: int) -> Touched | None:
    """After event `seq`, which `frame` is the last keyframe before; of a log that has an index.

    None where that does not tell, or is damaged: whoever folds the rows finds out why.
    """
    if seq == frame.seq:
        return Touched(frame.time, frame.refs, {})
    try:
        return _touched(connection, frame, seq)
    except LogFormatError:
        return None


def _touched(connection: sqlite3.Connection, frame: Keyframe, seq: int) -> Touched | None:
    index = list(blocks.kept(connection, max(0, frame.seq - _BEFORE * len(frame.refs)), seq))
    first = index[0].first if index else seq + 1
    last = min(index[-1].seq, seq) if index else seq
    if index and first > frame.seq + 1:
        return None
    uids = hashes(b"".join([block.uids for block in index]))
    codes = b"".join([block.codes for block in index])[: last + 1 - first]
    # Those of which no block is read are, as rows: what is so old, and what came after the last block.
    reached = max(last, frame.seq) if index else frame.seq
    later = rows.span(connection, reached, seq)
    known = entries(connection, [ref for ref in frame.refs if not first <= ref <= last])
    keys: list[Hashable] = [
        uids[ref - first] if first <= ref <= last else hashed(known[ref].key.uid) for ref in frame.refs
    ]
    begin = frame.seq + 1 - first
    what = codes[begin:] + bytes(CODES[event.change.key.kind, event.change.verb] for event in later)
    whose: list[Hashable] = [
        *uids[begin : last + 1 - first],
        *(hashed(event.change.key.uid) for event in later),
    ]
    if not MEANINGS.keys() >= set(what):
        return None
    if doubtful := _doubtful(keys, whose, what):
        parts = (keys, frame.refs), (whose, range(frame.seq + 1, seq + 1))
        named = [
            (part, place, refs[place])
            for part, refs in parts
            for place, key in enumerate(part)
            if key in doubtful
        ]
        if len(named) > _DOUBTFUL:
            return None
        meant = entries(connection, {ref for _, _, ref in named})
        for part, place, ref in named:
            part[place] = meant[ref].key
    began = dict(zip(keys, frame.refs, strict=True))
    if len(began) < len(keys):
        return None
    alive = _gone_on(began, frame.seq, whose, what)
    if alive is None:
        return None
    (end,) = rows.span(connection, seq - 1, seq)
    return Touched(end.change.time, list(alive.values()), known)


def _doubtful(keys: Sequence[Hashable], whose: Sequence[Hashable], what: bytes) -> set[Hashable]:
    """The hashes that more than one object may have, among those that live, `keys`, and those that are added later."""
    added = list(compress(whose, what.translate(_ADDED)))
    there = set(keys)
    twice = there.intersection(added)
    for hashes_, known in ((keys, len(there)), (added, len(set(added)))):
        if known < len(hashes_):
            twice.update(key for key, times in Counter(hashes_).items() if times > 1)
    return twice


def _gone_on(
    alive: dict[Hashable, int], seq: int, whose: Sequence[Hashable], what: bytes
) -> Mapping[Hashable, int] | None:
    """Each object that lives, and the event that last touched it, when the events after `seq` have befallen those that
    were `alive`; None where one came that was there, or something befell one that was not."""
    came: dict[Hashable, int] = {}
    gone: dict[Hashable, int] = {}
    odd = what.translate(_ODD)
    for ref, key, code in compress(zip(count(seq + 1), whose, what, strict=False), odd):
        if (key in alive) is (code & VERB == ADDED):
            return None
        if code & VERB == ADDED:
            alive[key] = came[key] = ref
        else:
            del alive[key]
            gone[key] = ref
    # Nearly all events only change what is there: all at once, and what they brought back goes again.
    living = len(alive)
    alive.update(compress(zip(whose, count(seq + 1), strict=False), what.translate(_CHANGED)))
    for key in list(islice(reversed(alive), len(alive) - living)):
        if alive.pop(key) > gone.get(key, 0):
            return None
    for key, ref in came.items():
        if alive.get(key, ref) < ref:
            alive[key] = ref  # it had been there before, and what befell it then counts no more
    return alive
