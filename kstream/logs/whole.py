"""A new log that is there when it is whole: until then it has another name, and what fails leaves nothing."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from kstream.core.errors import LogError, UsageError
from kstream.logs.sqlite import SqliteLog


@asynccontextmanager
async def new_log(path: Path, *, meta: Mapping[str, str]) -> AsyncIterator[SqliteLog]:
    """A log to append to, which is called `path` when this is left without an error. It is made beside that.

    Raises UsageError where there is something already, LogError where nothing can be made.
    """
    if await asyncio.to_thread(os.path.lexists, path):
        raise _there(path)
    try:
        folder = await asyncio.to_thread(
            tempfile.TemporaryDirectory, prefix=f".{path.name}.", dir=path.parent, ignore_cleanup_errors=True
        )
    except OSError as error:
        raise LogError(f"{path}: it cannot be made ({error.strerror}); check the path") from error
    try:
        made = Path(folder.name, path.name)
        log = await SqliteLog.open(made, meta=meta)
        try:
            yield log
        finally:
            await log.close()
        await asyncio.to_thread(_named, made, path)
    finally:
        await asyncio.to_thread(folder.cleanup)


def _named(made: Path, path: Path) -> None:
    """Two names for one file, then one: what came to be there meanwhile is not replaced."""
    try:
        os.link(made, path)
    except FileExistsError:
        raise _there(path) from None
    except OSError:  # a file system without a second name for a file
        if path.exists():
            raise _there(path) from None
        made.rename(path)


def _there(path: Path) -> UsageError:
    return UsageError(f"{path}: it is there already; choose another name, or remove it")
