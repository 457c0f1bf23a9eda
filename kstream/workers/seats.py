"""The clients of all workers, counted in memory that they share: `--max-clients` is for the whole crew."""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import tempfile
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

_COUNT: Final = struct.Struct("=q")
_TRIES: Final = 1000  # to get a lock that is held for microseconds, unless its holder was stopped in them


class Ledger:
    """The memory: a count for each worker. The process that records makes it, and hands on its descriptor."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.descriptor = _memory()
        os.ftruncate(self.descriptor, workers * _COUNT.size)
        self._counts = _Counts(self.descriptor, workers)

    @property
    def taken(self) -> int:
        """Clients of all workers."""
        return self._counts.total

    def clear(self, number: int) -> None:
        """That worker is gone, and its clients with it."""
        self._counts.set(number, 0)

    def close(self) -> None:
        self._counts.close()
        os.close(self.descriptor)


class SharedSeats:
    """The Seats of the worker that has the count `number`."""

    def __init__(self, descriptor: int, *, workers: int, number: int, most: int) -> None:
        self.most = most
        self._descriptor = descriptor
        self._number = number
        self._own = 0
        self._counts = _Counts(descriptor, workers)

    @property
    def taken(self) -> int:
        return self._counts.total

    def take(self) -> bool:
        with _Locked(self._descriptor):
            if self._counts.total >= self.most:
                return False
            self._own += 1
            self._counts.set(self._number, self._own)
            return True

    def leave(self) -> None:
        self._own -= 1
        self._counts.set(self._number, self._own)

    def close(self) -> None:
        self._counts.close()


class _Counts:
    def __init__(self, descriptor: int, workers: int) -> None:
        self._all = struct.Struct(f"={workers}q")
        self._memory = mmap.mmap(descriptor, self._all.size)

    @property
    def total(self) -> int:
        return sum(self._all.unpack(self._memory))

    def set(self, number: int, count: int) -> None:
        _COUNT.pack_into(self._memory, number * _COUNT.size, count)

    def close(self) -> None:
        self._memory.close()


class _Locked:
    """Held for a few microseconds. Without it two workers could both give the last seat.

    A worker that was stopped while it held it must not stop the others: they go on without, and may give one seat
    too many each.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> Self:
        for _ in range(_TRIES):
            with suppress(OSError):
                # A record lock is the process's: the descriptor itself is shared.
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN)


def _memory() -> int:
    """A file without a name; Linux needs no folder for it."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("kstream-seats", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
