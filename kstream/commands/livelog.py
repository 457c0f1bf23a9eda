"""The event log that a live cluster is recorded to."""

from __future__ import annotations

from kstream.core.errors import LogMismatchError
from kstream.logs.sqlite import SqliteLog

# What is left in a log by the command that makes it, and what that one made.
_NO_CLUSTERS = {"simulation": "holds a simulation", "redacted": "was redacted, and holds pseudonyms"}


async def open_live(path: str) -> SqliteLog:
    """Open or create it. Raises LogError; LogMismatchError for one that no cluster goes on with: that of a simulation,
    or one that was redacted."""
    log = await SqliteLog.open(path)
    for mark, what in _NO_CLUSTERS.items():
        if mark in log.meta:
            await log.close()
            raise LogMismatchError(
                f"{path}: the event log {what}, not the history of a cluster; give another file"
            )
    return log
