"""The state of a map: pods as columns of small numbers, and their names behind them (PROTOCOL 33).

150,000 pods are 300 kB of deflate with all that a map paints, and twice that with their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter, sub
from typing import NamedTuple

import msgspec

from kstream.core.delivery import snapshot, thin, wire
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.frames import text_frame
from kstream.core.delivery.messages import PodColumns, PodGroup, Standing
from kstream.core.delivery.numbers import Numbers
from kstream.core.timeline.events import Kind
from kstream.core.timeline.shapes import Owner
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.timepoint import timestamp

_encode = msgspec.json.Encoder().encode
_MARGIN = 500  # bytes of a message beside its objects, its pods and its `id`


class Capture(NamedTuple):
    """A consistent copy of references, as snapshot.Capture; `uids` are those of its pods."""

    taken: snapshot.Capture
    uids: list[str]


def capture(state: ClusterState, watched: Filter, taken: snapshot.Capture | None = None) -> Capture:
    """`taken`: what snapshot.capture has just made of the two, if it has."""
    return Capture(
        snapshot.capture(state, watched) if taken is None else taken,
        state.pod_uids(watched.namespaces) if watched.shows(Kind.POD) else [],
    )


class Row(NamedTuple):
    """A pod: places in the tables, and of what it was read."""

    group: int
    node: int
    standing: int
    name: str  # what its group does not say of it
    uid: str
    body: bytes


_Group = tuple[str, str, Owner | None]
_Standing = tuple[str, str, int, int, int]
_ORDER = itemgetter(0, 1)
_MOST = 4  # times as many entries as pods before the tables begin anew


class Rows:
    """Of one timeline: what was read of a body is kept until there is another, so the next state reads what changed."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.groups: dict[_Group, int] = {}
        self.nodes: dict[str | None, int] = {}
        self.standings: dict[_Standing, int] = {}
        self._rows: dict[str, Row] = {}

    def take(self, uids: Sequence[str], bodies: Sequence[bytes]) -> list[Row]:
        """Those of these pods, by group and node: neighbours are alike, which is what makes a map small.

        Not for two threads at once."""
        entries = len(self.groups) + len(self.nodes) + len(self.standings)
        if len(self._rows) > 2 * len(uids) + 1000 or entries > _MOST * (len(uids) + 1000):
            self._begin()
        known, rows = self._rows, []
        for uid, body in zip(uids, bodies, strict=True):
            row = known.get(uid)
            if row is None or row.body is not body:
                row = known[uid] = self._read(uid, body)
            rows.append(row)
        rows.sort(key=_ORDER)
        return rows

    def _read(self, uid: str, body: bytes) -> Row:
        pod = thin.read(body)
        stem, dash, rest = pod.name.rpartition("-")
        owner = pod.owner
        group = (pod.namespace, stem + dash, owner)
        return Row(
            self.groups.setdefault(group, len(self.groups)),
            self.nodes.setdefault(pod.nodeName, len(self.nodes)),
            self.standings.setdefault(pod.standing(), len(self.standings)),
            rest,
            uid,
            body,
        )


def encode(
    captured: Capture,
    rows: Rows,
    numbers: Numbers,
    *,
    time: float,
    window_bits: int,
    answers: wire.SubscribeId = None,
) -> snapshot.Snapshot:
    """The finished frames; `time`: seconds since the Unix epoch. As snapshot.encode, it takes a while."""
    made = messages(captured, rows, numbers, time=time, answers=answers)
    return snapshot.Snapshot(captured.taken.seq, tuple(text_frame(each, window_bits) for each in made))


def messages(
    captured: Capture,
    rows: Rows,
    numbers: Numbers,
    *,
    time: float,
    limit: int = wire.MAX_MESSAGE,
    answers: wire.SubscribeId = None,
) -> Iterator[bytes]:
    """`map_state` with all nodes and namespaces, and the pods that fit into `limit` bytes; the others as `map_pods`;
    then `map_names`. Only the last message has the `seq`, as with `initial_state`."""
    taken, uids = captured
    bodies, namespaces = taken.pods, taken.namespaces
    if taken.labels is not None:
        shown = [taken.labels.shows(body) for body in bodies]
        bodies = [body for body, shows in zip(bodies, shown, strict=True) if shows]
        uids = [uid for uid, shows in zip(uids, shown, strict=True) if shows]
        namespaces = snapshot.recounted(namespaces, bodies)
    stamp = timestamp(time).encode()
    ordered = rows.take(uids, bodies)
    named = b"" if answers is None else b'"id":%b,' % wire.encode_id(answers)
    whole = b'"nodes":[%b],"namespaces":[%b]' % (b",".join(taken.nodes), b",".join(namespaces))
    room = limit - _MARGIN - len(named)
    tables = _Tables(rows, numbers)
    # Where the nodes leave little room the pods come behind them.
    first = [] if len(whole) > room // 2 else ordered
    blocks = list(_fitting(tables, first, room - len(whole)))
    if not first and ordered:
        blocks += _fitting(tables, ordered, room)
    head, *others = blocks
    yield b'{"type":"map_state",%b"numbers":"%b","data":{%b,"pods":%b},"timestamp":"%b"}' % (
        named,
        numbers.name.encode(),
        whole,
        head,
        stamp,
    )
    for block in others:
        yield b'{"type":"map_pods","data":%b,"timestamp":"%b"}' % (block, stamp)
    at = 0
    for names, count in _names([row.name for row in ordered], room):
        last = at + count == len(ordered)
        yield b'{"type":"map_names",%b"start":%d,"names":%b,"timestamp":"%b"}' % (
            b'"seq":%d,' % taken.seq if last else b"",
            at,
            names,
            stamp,
        )
        at += count


class _Tables:
    """Of all pods; a block has those entries that it speaks of, in the order in which it does."""

    def __init__(self, rows: Rows, numbers: Numbers) -> None:
        self._groups = [PodGroup(*each) for each in rows.groups]
        self._nodes = list(rows.nodes)
        self._standings = [Standing(*each) for each in rows.standings]
        self._numbers = numbers

    def block(self, rows: Sequence[Row]) -> bytes:
        of = self._numbers.of
        groups, group = _placed([row.group for row in rows])
        # By their order in the state's own table, so that what is sorted stays so.
        nodes = sorted({row.node for row in rows})
        places = {node: place for place, node in enumerate(nodes)}
        standings, standing = _placed([row.standing for row in rows])
        return _encode(
            PodColumns(
                groups=[self._groups[each] for each in groups],
                nodeNames=[self._nodes[each] for each in nodes],
                standings=[self._standings[each] for each in standings],
                number=_steps([of(row.uid) for row in rows]),
                group=_steps(group),
                node=_steps([places[row.node] for row in rows]),
                standing=standing,
            )
        )


def _placed(column: list[int]) -> tuple[list[int], list[int]]:
    """The entries of a table that a column speaks of, and the column in places of these."""
    entries = list(dict.fromkeys(column))
    places = {entry: place for place, entry in enumerate(entries)}
    return entries, [places[each] for each in column]


def _steps(column: list[int]) -> list[int]:
    """Each as the difference to the one before."""
    return column[:1] + list(map(sub, column[1:], column))


def _fitting(tables: _Tables, rows: Sequence[Row], room: int) -> Iterator[bytes]:
    """As few blocks of at most `room` bytes as halving makes."""
    block = tables.block(rows)
    if len(block) <= room or len(rows) < 2:
        yield block
        return
    half = len(rows) // 2
    yield from _fitting(tables, rows[:half], room)
    yield from _fitting(tables, rows[half:], room)


def _names(names: list[str], room: int) -> Iterator[tuple[bytes, int]]:
    """In one text each, as no name has a space."""
    text = _encode(" ".join(names))
    if len(text) <= room or len(names) < 2:
        yield text, len(names)
        return
    half = len(names) // 2
    yield from _names(names[:half], room)
    yield from _names(names[half:], room)
