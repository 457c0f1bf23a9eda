"""One process writes a log: a lock beside the file, given back by the system when the process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from kstream.core.errors import LogBusyError, LogError


class WriterLock:
    """Held from creation to `release`.

    It is not taken on the log itself: closing a second descriptor of a file drops the locks that SQLite holds on
    it in the same process.
    """

    def __init__(self, log: Path) -> None:
        """Raises LogBusyError if another writer has it, LogError if the folder cannot be written."""
        self._path = log.with_name(f"{log.name}.lock")
        while True:
            try:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError as error:
                raise LogError(
                    f"{log}: the event log cannot be opened for writing ({error.strerror}); check the folder"
                ) from error
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                raise LogBusyError(
                    f"{log}: another kstream writes this event log; stop it, or give this one another file"
                ) from error
            if self._is_current(descriptor):
                self._descriptor = descriptor
                return
            os.close(descriptor)  # the holder before us removed the file between our open and our lock

    def release(self) -> None:
        """Let the next writer in, and leave no file behind."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False
