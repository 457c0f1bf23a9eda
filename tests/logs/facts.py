"""Made-up history for the tests of logs: seeded, so that a test says the same thing every time."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from kstream.core.timeline.events import Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.state import ClusterState
from kstream.logs import rows, schema

START = 1_750_000_000.0
# Makes a file a large one.
BALLAST = "CREATE TABLE ballast (bytes BLOB); INSERT INTO ballast VALUES (zeroblob(70000000))"


def body_of(kind: Kind, namespace: str, name: str, uid: str, status: str) -> bytes:
    fields = {"name": name, "uid": uid}
    if kind is Kind.POD:
        fields |= {"namespace": namespace, "phase": status}
    fields["status"] = status
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def history(count: int, *, seed: int = 1, step: float = 0.5) -> Iterator[WatchEvent]:
    """`count` events about nodes, namespaces and pods: added, changed, deleted, deleted and made again."""
    rng = random.Random(seed)
    alive: list[ObjectKey] = []
    for number in range(1, count + 1):
        at = START + number * step
        action = rng.random()
        if not alive or action < 0.5:
            kind = rng.choices([Kind.POD, Kind.NODE, Kind.NAMESPACE], [8, 1, 1])[0]
            namespace = rng.choice(["shop", "größe", "kube-system"]) if kind is Kind.POD else ""
            key = ObjectKey(kind, namespace, f"{kind}-{rng.randrange(200)}", f"uid-{number}")
            alive.append(key)
            verb = Verb.ADDED
        elif action < 0.85:
            key, verb = rng.choice(alive), Verb.MODIFIED
        else:
            key, verb = alive.pop(rng.randrange(len(alive))), Verb.DELETED
        status = rng.choice(
            ["Ready", "NotReady"] if key.kind is Kind.NODE else ["Running", "Pending", "Failed"]
        )
        yield WatchEvent(
            verb, key, str(1000 + number), at, body_of(key.kind, key.namespace, key.name, key.uid, status)
        )


def churn(count: int, *, objects: int = 200, seed: int = 1, step: float = 0.5) -> Iterator[WatchEvent]:
    """`count` events about as many pods as there were after the first `objects` events: changed and replaced."""
    rng = random.Random(seed)
    alive: list[ObjectKey] = []
    for number in range(1, count + 1):
        if len(alive) < objects:
            verb, key = Verb.ADDED, ObjectKey(Kind.POD, "shop", f"pod-{number}", f"uid-{number}")
            alive.append(key)
        elif rng.random() < 0.1:
            verb, key = Verb.DELETED, alive.pop(rng.randrange(objects))
        else:
            verb, key = Verb.MODIFIED, rng.choice(alive)
        body = body_of(key.kind, key.namespace, key.name, key.uid, f"Running for {number}")
        yield WatchEvent(verb, key, str(number), START + number * step, body)


def shown(state: ClusterState) -> tuple[object, ...]:
    """All that a ClusterState tells."""
    return state.seq, state.time, [list(state.entries(kind)) for kind in Kind], state.counts()


def as_format(path: Path, number: int) -> None:
    """Makes the log of a format's time out of today's."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")  # or the disk is waited for after each row
        for name in schema.VIEWS:
            connection.execute(f"DROP VIEW {name}")
        connection.execute("DROP TABLE blocks")
        for table in ("baseline", "events") if number < 5 else ():
            found = connection.execute(f"SELECT {rows.COLUMNS} FROM {table}").fetchall()
            early = [(rows.early_checksum(*columns), columns[0]) for *columns, _ in found]
            connection.executemany(f"UPDATE {table} SET crc = ? WHERE seq = ?", early)
        if number < 4:
            connection.execute("DROP TABLE terms")
        if number < 3:
            for table in ("meta", "versions", "keyframes"):
                connection.execute(f"ALTER TABLE {table} DROP COLUMN crc")
        if number < 2:
            connection.execute("DROP TABLE keyframes")
            connection.execute("DROP TABLE baseline")
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
