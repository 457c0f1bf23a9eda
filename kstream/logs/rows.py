"""Events as rows of a table, and back, with a checksum that finds a damaged row."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from kstream.core.errors import LogFormatError
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.terms import Term
from kstream.core.timeline.wellness import RUNNING
from kstream.logs.checksum import crc32
from kstream.logs.keyframes import EARLIEST, LATEST

INSERT: Final = (
    "INSERT INTO events (seq, time, verb, kind, namespace, name, uid, version, body, crc)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
# The body is text for people and bytes for us: the cast gives its UTF-8 as it is in the file.
COLUMNS: Final = "seq, time, verb, kind, namespace, name, uid, version, CAST(body AS BLOB), crc"

Row = tuple[int, float, str, str, str, str, str, str, str, int]

WHOLE: Final = 5  # the format from which on the checksum of an event covers all of its row
_NUMBERS: Final = struct.Struct("<qd").pack

_PLAIN: Final = {member: member.value for member in (*Verb, *Kind)}
_VERBS: Final = {verb.value: verb for verb in Verb}
KINDS: Final = {kind.value: kind for kind in Kind}


def rows(events: Iterable[Event], odd: list[int] | None = None) -> list[Row]:
    """What INSERT takes: (seq, time, verb, kind, namespace, name, uid, version, body, crc) of each.

    `odd` gets the places of those that are not of a pod that goes on running, which the index has to look at
    (`blocks.odd_of`). One loop, since a call for each event is a fifth of what this costs, and what was just touched is
    looked at for half the price.
    """
    checksum, numbers, modified, pod, plain = crc32, _NUMBERS, Verb.MODIFIED, Kind.POD, _PLAIN
    running, is_odd = RUNNING, ([] if odd is None else odd).append
    made: list[Row] = []
    add = made.append
    for event in events:
        change = event.change
        seq, time, key, version = event.seq, change.time, change.key, change.version
        body, verb = change.body, change.verb
        kind, namespace, name, uid = key.kind, key.namespace, key.name, key.uid
        text = body.decode()
        # Enum members are subclasses of str, which sqlite3 takes the slow way; as keys of a dict they are slow too.
        if verb is modified and kind is pod and running in text:
            action, what = "MODIFIED", "pod"
        else:
            action, what = plain[verb], plain[kind]
            is_odd(len(made))
        words = f"{action}\0{what}\0{namespace}\0{name}\0{uid}\0{version}\0".encode()
        crc = checksum(body, checksum(numbers(seq, time) + words, 0))
        add((seq, time, action, what, namespace, name, uid, version, text, crc))
    return made


Checksum = Callable[[int, float, str, str, str, str, str, str, bytes], int]
"""Of the columns of an event, in their order."""


def whole_checksum(
    seq: int,
    time: float,
    verb: str,
    kind: str,
    namespace: str,
    name: str,
    uid: str,
    version: str,
    body: bytes,
) -> int:
    """As `rows` makes it: of all columns, each with an end; `time`: seconds since the Unix epoch."""
    words = f"{verb}\0{kind}\0{namespace}\0{name}\0{uid}\0{version}\0".encode()
    return crc32(body, crc32(_NUMBERS(seq, time) + words, 0))


def early_checksum(
    _seq: int,
    _time: float,
    _verb: str,
    _kind: str,
    namespace: str,
    name: str,
    uid: str,
    version: str,
    body: bytes,
) -> int:
    """As formats before 5 made it: what the first four columns say is not covered, and the others run together."""
    return crc32(body, crc32((namespace + name + uid + version).encode(), 0))


def checksum_of(connection: sqlite3.Connection) -> Checksum:
    """The one of the file's format."""
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    return whole_checksum if number >= WHOLE else early_checksum


def events(found: Iterable[Any], checksum: Checksum) -> Iterator[Event]:
    """Rows of COLUMNS as events. Raises LogFormatError for a row that is not as it was written."""
    for seq, time, verb, kind, namespace, name, uid, version, body, crc in found:
        try:
            if checksum(seq, time, verb, kind, namespace, name, uid, version, body) != crc:
                raise _damaged(seq, "its checksum does not match")
            if not EARLIEST <= time < LATEST:
                raise _damaged(seq, f"its time is {time} seconds, which has no date")
            key = ObjectKey(KINDS[kind], namespace, name, uid)
            yield Event(seq, WatchEvent(_VERBS[verb], key, version, time, body))
        except (KeyError, TypeError, AttributeError, struct.error) as error:
            raise _damaged(seq, repr(error)) from error


def span(connection: sqlite3.Connection, after: int, upto: int) -> list[Event]:
    """The events with after < seq <= upto. Raises LogFormatError when one is missing or damaged."""
    if upto <= after:
        return []
    found = list(
        events(
            connection.execute(
                f"SELECT {COLUMNS} FROM events WHERE seq > ? AND seq <= ? ORDER BY seq", (after, upto)
            ),
            checksum_of(connection),
        )
    )
    # seq is the table's key: as many as there should be, from the first to the last, have no gap.
    if len(found) != upto - after:
        raise missing(after, upto, len(found))
    return found


def missing(after: int, upto: int, count: int) -> LogFormatError:
    """Of the events with after < seq <= upto there are only so many."""
    return LogFormatError(
        f"the event log is damaged: of the events {after + 1} to {upto} only {count} are there;"
        " restore the file from a copy"
    )


def picked(connection: sqlite3.Connection, refs: Sequence[int], columns: str) -> Iterator[Any]:
    """The rows of the events with these seqs, in that order, wherever retention has put them.

    Raises LogFormatError when one is missing.
    """
    (oldest,) = connection.execute("SELECT coalesce(min(seq), 9223372036854775807) FROM events").fetchone()
    moved: Iterator[Any] = iter(())
    if dropped := [ref for ref in refs if ref < oldest]:
        moved = connection.execute(picking("baseline", columns), (json.dumps(dropped),))
    there = connection.execute(picking("events", columns), (json.dumps([r for r in refs if r >= oldest]),))
    for ref in refs:
        row = next(moved if ref < oldest else there, None)
        if row is None or row[0] != ref:
            raise lacking(ref)
        yield row


def lacking(ref: int) -> LogFormatError:
    """An event that is part of a state is not there."""
    return LogFormatError(
        f"the event log is damaged: event {ref}, which a keyframe needs, is missing; restore the file from a copy"
    )


def picking(table: str, columns: str) -> str:
    """The query for the rows of a JSON list of seqs, in the order of these."""
    # A cross join goes through its tables as they are written: the rows come in the order of the refs.
    return f"SELECT {columns} FROM json_each(?) CROSS JOIN {table} ON seq = json_each.value"


def put_pairs(connection: sqlite3.Connection, table: str, pairs: Mapping[str, str]) -> None:
    """Write rows of the table `meta` or `versions`, within the caller's transaction."""
    connection.executemany(
        f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)",
        [(key, value, _crc(key, value)) for key, value in sorted(pairs.items())],
    )


def pairs(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """All of the table `meta` or `versions`. Raises LogFormatError for a row that is not as it was written."""
    found: dict[str, str] = {}
    for key, value, *checksum in connection.execute(f"SELECT * FROM {table}"):  # formats before 3 have none
        whole = isinstance(key, str) and isinstance(value, str)
        if not whole or (checksum and checksum != [_crc(key, value)]):
            raise LogFormatError(
                f"the event log is damaged: {key!r} in its table {table} is not as it was written;"
                " restore the file from a copy"
            )
        found[key] = value
    return found


def put_term(connection: sqlite3.Connection, term: Term) -> None:
    """Write a term behind those that are there, within the caller's transaction."""
    connection.execute(
        "INSERT INTO terms (id, first, crc) VALUES (?, ?, ?)", (*term, _crc(term.id, str(term.first)))
    )


def terms(connection: sqlite3.Connection) -> list[Term]:
    """All terms, in order. Raises LogFormatError for one that is not as it was written."""
    found: list[Term] = []
    for term, first, checksum in connection.execute("SELECT id, first, crc FROM terms ORDER BY number"):
        whole = isinstance(term, str) and isinstance(first, int)
        if not whole or checksum != _crc(term, str(first)) or (found and first < found[-1].first):
            raise LogFormatError(
                f"the event log is damaged: the term that begins at event {first} is not as it was written;"
                " restore the file from a copy"
            )
        found.append(Term(term, first))
    return found


def _crc(key: str, value: str) -> int:
    return crc32(f"{key}\0{value}".encode(), 0)


def _damaged(seq: object, cause: str) -> LogFormatError:
    return LogFormatError(
        f"the event log is damaged: event {seq} is not as it was written ({cause}); restore the file from a copy"
    )
