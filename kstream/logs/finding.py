"""Finding events in a log file without reading all bodies: by its index, and by what SQLite can tell."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Final

from kstream.core.errors import LogTrimmedError
from kstream.core.timeline.blocks import Block
from kstream.core.timeline.events import Event
from kstream.core.timeline.narrow import Narrow
from kstream.logs import indexing, rows, schema
from kstream.logs.reading import check_kept, snapshot

_AMONG: Final = "{} IN (SELECT json_each.value FROM json_each(?))"
_HAS: Final = "instr(CAST(body AS BLOB), ?)"


def blocks(connection: sqlite3.Connection, after: int, upto: int, *, whole: bool = True) -> Sequence[Block]:
    """Those of the events with after < seq <= upto: the first may begin earlier, the last end later.

    Not `whole`: without those that would have to be made.

    Raises LogTrimmedError, and LogFormatError for damage.
    """
    with snapshot(connection):
        check_kept(connection, after)
        indexed = schema.format_of(connection) >= schema.WITH_BLOCKS
        return list(indexing.blocks(connection, after, upto, indexed=indexed, whole=whole))


def reached(connection: sqlite3.Connection, times: Sequence[float], after: int, upto: int) -> Sequence[int]:
    """For each of these times, which ascend, the last event until then, `after` where there is none.

    Raises LogTrimmedError, and LogFormatError for an event that is missing.
    """
    found: list[int] = []
    with snapshot(connection):
        check_kept(connection, after)
        ends: list[tuple[float, int]] = []
        if schema.format_of(connection) >= schema.WITH_BLOCKS:
            span = "SELECT time, seq FROM blocks WHERE seq > ? AND seq <= ? ORDER BY seq"
            ends = connection.execute(span, (after, upto)).fetchall()
        number = 0
        for time in times:
            while number < len(ends) and ends[number][0] <= time:
                number += 1
            low = max(ends[number - 1][1] if number else after, found[-1] if found else after)
            high = max(ends[number][1] - 1 if number < len(ends) else upto, low)
            while low < high:
                middle = (low + high + 1) // 2
                row = connection.execute("SELECT time FROM events WHERE seq = ?", (middle,)).fetchone()
                if row is None:
                    raise rows.missing(middle - 1, middle, 0)
                low, high = (middle, high) if row[0] <= time else (low, middle - 1)
            found.append(low)
    return found


def pick(connection: sqlite3.Connection, seqs: Sequence[int]) -> Sequence[Event]:
    """The events with these seqs, which ascend; also those that are kept because their object lives.

    Raises LogTrimmedError for one that was dropped, LogFormatError for one that is not as it was written.
    """
    with snapshot(connection):
        if seqs:
            _check_there(connection, seqs)
        return list(rows.events(rows.picked(connection, seqs, rows.COLUMNS), rows.checksum_of(connection)))


def _check_there(connection: sqlite3.Connection, seqs: Sequence[int]) -> None:
    """Raises LogTrimmedError for what was there when it was found, and has been dropped since."""
    (oldest,) = connection.execute("SELECT coalesce(min(seq), 9223372036854775807) FROM events").fetchone()
    for seq in (seq for seq in seqs if seq < oldest):
        if connection.execute("SELECT 1 FROM baseline WHERE seq = ?", (seq,)).fetchone() is None:
            raise LogTrimmedError(f"event {seq} is no longer kept: the event log begins at {oldest}")


def find(
    connection: sqlite3.Connection, narrow: Narrow, after: int, upto: int, among: Sequence[int] | None = None
) -> Sequence[int]:
    """The seqs of those events with after < seq <= upto, ascending; of dropped ones those that still live.

    `among`: of these only, none of which was dropped. Whether a row is as it was written shows when it is picked.
    """
    clauses, values = _clauses(narrow)
    where = " AND ".join(["seq > ? AND seq <= ?", *clauses])
    values = [after, upto, *values]
    with snapshot(connection):
        if among is not None:
            query = f"SELECT seq FROM json_each(?) CROSS JOIN events ON seq = json_each.value WHERE {where}"
            return [seq for (seq,) in connection.execute(query, (json.dumps(among), *values))]
        tables = ["events"]
        if schema.format_of(connection) >= schema.WITH_KEYFRAMES:
            tables.insert(0, "baseline")  # all of it is of earlier events
        found: list[int] = []
        for table in tables:
            query = f"SELECT seq FROM {table} WHERE {where} ORDER BY seq"
            found += [seq for (seq,) in connection.execute(query, values)]
        return found


def _clauses(narrow: Narrow) -> tuple[list[str], list[int | str | bytes]]:
    """What SQLite has to look at, and the values that are asked for."""
    clauses: list[str] = []
    values: list[int | str | bytes] = []
    place = "CASE kind WHEN 'pod' THEN namespace ELSE name END"
    kinds = None if narrow.kinds is None else {kind.value for kind in narrow.kinds}
    for clause, wanted in (
        (_AMONG.format("kind"), kinds),
        (f"(kind = 'node' OR {_AMONG.format(place)})", narrow.namespaces),
        (_AMONG.format("name"), narrow.names),
        (_AMONG.format("uid"), narrow.uids),
    ):
        if wanted is not None:
            clauses.append(clause)
            values.append(json.dumps(sorted(wanted)))
    if narrow.texts is not None:
        # As bytes: SQLite would count the characters of a text before it searches it.
        clauses.append(f"({' OR '.join([_HAS] * len(narrow.texts)) or 'FALSE'})")
        values += [text.encode() for text in sorted(narrow.texts)]
    return clauses, values
