"""The event log that a live cluster is recorded to."""

from __future__ import annotations

from kstream.core.errors import LogMismatchError
from kstream.logs.sqlite import SqliteLog

_SIMULATED = "simulation"  # what `kstream simulate` leaves in a log that it makes


async def open_live(path: str) -> SqliteLog:
    """Open or create it. Raises LogError; LogMismatchError for that of a simulation, which no cluster goes on with."""
    log = await SqliteLog.open(path)
    if _SIMULATED in log.meta:
        await log.close()
        raise LogMismatchError(
            f"{path}: the event log holds a simulation, not the history of a cluster; give another file"
        )
    return log
