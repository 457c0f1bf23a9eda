"""Whether the file of a log is whole: its pages, its b-trees, and that its seqs have no gap."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from kstream.core.errors import LogFormatError

# Bytes. What is larger is looked at while it is in use: reading a gigabyte takes some seconds, of a slow disk many.
_LARGE: Final = 64 * 1024 * 1024


def is_large(path: Path) -> bool:
    """Not, when it cannot be told."""
    try:
        return path.stat().st_size > _LARGE
    except OSError:
        return False


def inspect(path: Path, connection: sqlite3.Connection) -> None:
    """Reads the whole file once. Raises LogFormatError for damage."""
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict == "ok":
        first, last, rows = connection.execute("SELECT min(seq), max(seq), count(*) FROM events").fetchone()
        if not rows or last - first + 1 == rows:
            return
        verdict = f"events {first} to {last} are only {rows}"
    raise LogFormatError(f"{path}: the event log is damaged ({verdict}); restore the file from a copy")
