"""What comes from a cluster and from its owner's files: watch lines, kubeconfigs, rows of a log."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import struct
import tempfile
from pathlib import Path
from typing import Any, Final

from kstream.core.errors import ConfigError, LogFormatError, MalformedError
from kstream.core.kube.resources import (
    Decoded,
    decode_added,
    decode_line,
    decode_object,
    decode_page,
    decode_status,
)
from kstream.core.timeline.events import Kind
from kstream.core.watching.lines import LineSplitter
from kstream.logs import rows
from kstream.sources.kubeconfig import choose
from tests.fuzz.target import Target

_LIMIT: Final = 4_096


def watch_lines(data: bytes) -> None:
    """The first byte says into which pieces the network cuts the rest."""
    size, rest = (data[0] % 61 + 1, data[1:]) if data else (1, b"")
    splitter, lines = LineSplitter(_LIMIT), []
    for at in range(0, len(rest), size):
        lines += [bytes(line) for line in splitter.feed(rest[at : at + size])]
    whole = [bytes(line) for line in LineSplitter(_LIMIT).feed(rest)]
    assert lines == whole, "cut elsewhere, the lines are others"
    assert sum(map(len, lines)) <= len(rest)
    assert all(len(line) <= _LIMIT and b"\n" not in line for line in lines)
    for kind in Kind:
        for _ in decode_added(kind, lines):
            pass
        for line in lines:
            try:
                decoded = decode_line(kind, line).decoded
            except MalformedError:
                continue
            if decoded is not None:
                _check(decoded, line)


def objects(data: bytes) -> None:
    """The first byte chooses the kind; the rest is an object, a list and a refusal at once."""
    kind, rest = list(Kind)[data[0] % 3] if data else Kind.POD, data[1:]
    status = decode_status(rest)
    assert status is None or status.retry_after is None or 0 <= status.retry_after < float("inf")
    with contextlib.suppress(MalformedError):
        _check(decode_object(kind, rest), rest)
    page = decode_page(kind, rest)
    assert page.version
    for decoded in page.items:
        _check(decoded, rest)


def _check(decoded: Decoded, raw: bytes) -> None:
    json.loads(decoded.body.decode())
    # What JSON writes in one byte, it may want six for; the names of fields are ours.
    assert len(decoded.body) <= 40 * len(raw) + 2_000
    assert decoded.key.uid
    assert decoded.key.name


def kubeconfig(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config"
        path.write_bytes(data)
        for named in ("ca.crt", "c.crt", "c.key"):  # by the corpus
            (Path(folder) / named).touch()
        choice = choose([path], None)
    assert choice.cluster.server
    assert len(choice.cluster_name) + len(choice.namespace) <= len(data) + 100
    f"{choice.cluster_name}{choice.namespace}".encode()


def log_rows(data: bytes) -> None:
    """A JSON list of rows; text that begins with `hex:` is a blob, and a checksum "ok" is made right."""
    try:
        table = json.loads(data)
    except (ValueError, RecursionError):
        return
    if not isinstance(table, list):
        return
    made = [[_value(cell) for cell in row] for row in table if isinstance(row, list)]
    for event in rows.events([_checked(row) for row in made if len(row) == 10], rows.whole_checksum):
        assert event.change.body is not None
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE TABLE meta (key, value, crc)")
        try:
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?, ?)", [row for row in made if len(row) == 3]
            )
        except (sqlite3.Error, OverflowError, UnicodeEncodeError):
            return  # no such row can be in a file
        rows.pairs(connection, "meta")
    finally:
        connection.close()


def _value(cell: Any) -> Any:
    """A cell as SQLite can give it: NULL, a number, text or a blob."""
    if isinstance(cell, str):
        if cell.startswith("hex:"):
            try:
                return bytes.fromhex(cell[4:])
            except ValueError:
                return b""
        return cell.encode("utf-8", "replace").decode()
    if isinstance(cell, bool | dict | list):
        return None
    return cell


def _checked(row: list[Any]) -> list[Any]:
    if row[9] == "ok":
        try:
            row[9] = rows.whole_checksum(*row[:9])
        except (TypeError, struct.error):
            row[9] = 0
    return row


_FIELDS: Final = (
    "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR", "type", "object", "metadata", "name", "namespace", "uid",
    "resourceVersion", "annotations", "k8s.io/initial-events-end", "status", "spec", "items", "code", "continue",
    "remainingItemCount", "conditions", "containerStatuses", "initContainerStatuses", "state", "terminated", "waiting",
    "exitCode", "restartCount", "capacity", "cpu", "memory", "pods", "labels", "deletionTimestamp",
    "creationTimestamp", "retryAfterSeconds", "details", "100m", "1Gi", "1e3", "12E",
)  # fmt: skip

TARGETS: Final = (
    Target(
        name="watch-lines", run=watch_lines, syntax="json", raises=MalformedError, words=_FIELDS, executions=1_500
    ),
    Target(name="objects", run=objects, syntax="json", raises=MalformedError, words=_FIELDS, executions=1_500),
    Target(
        name="kubeconfig",
        run=kubeconfig,
        syntax="yaml",
        raises=ConfigError,
        words=(
            "apiVersion", "kind", "clusters", "users", "contexts", "cluster", "user", "context", "current-context",
            "name", "server", "namespace", "exec", "command", "token", "tokenFile", "client-key",
            "certificate-authority", "https://127.0.0.1:6443",
        ),
        executions=300,
    ),
    Target(
        name="log-rows",
        run=log_rows,
        syntax="json",
        raises=LogFormatError,
        words=("ADDED", "MODIFIED", "DELETED", "pod", "node", "namespace", "hex:7b7d", "hex:ff", "ok"),
        executions=1_500,
    ),
)  # fmt: skip
