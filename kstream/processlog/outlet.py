"""Where lines leave the process: from a thread of its own, so that whoever does not read them holds up nobody."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from kstream.ports import Clock

_MOST: Final = 2**20  # bytes that wait
_LOOK: Final = 1.0  # seconds from `remind` until `owed` is asked for what it has
_GOODBYE: Final = 2.0  # seconds that the end waits for what is not written yet


class Outlet:
    """Lines go in without waiting and are lost, and counted, where nobody takes them."""

    def __init__(
        self, write: Callable[[bytes], None], owed: Callable[[int], list[bytes]], *, clock: Clock
    ) -> None:
        """`write` may block as long as it likes, and raises OSError or ValueError for what is closed.

        `owed` is called about a second after `remind`, and when lines were lost, with their number: lines to add.
        """
        self._write = write
        self._owed = owed
        self._now = clock.monotonic
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self._lost = 0
        self._look_at: float | None = None
        self._closing = False
        self._news = threading.Condition()
        # A daemon: a thread that nobody takes a line from must not keep the process.
        self._thread = threading.Thread(target=self._run, name="kstream-process-log", daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> None:
        """Returns at once."""
        with self._news:
            if self._bytes + len(line) > _MOST:
                self._lost += 1
                return
            self._lines.append(line)
            self._bytes += len(line)
            self._news.notify()

    def remind(self) -> None:
        """There will be something to add."""
        with self._news:
            if self._look_at is None:
                self._look_at = self._now() + _LOOK
                self._news.notify()

    def close(self, within: float = _GOODBYE) -> None:
        """Write what is left, for so many seconds at most."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._thread.join(within)

    def _run(self) -> None:
        while (line := self._next()) is not None:
            try:
                self._write(line)
            except (OSError, ValueError):
                continue  # closed: there is nobody to tell

    def _next(self) -> bytes | None:
        """The next line when there is one; None at the end."""
        while True:
            with self._news:
                while not (self._lines or self._due()):
                    self._news.wait(None if self._look_at is None else max(self._look_at - self._now(), 0.0))
                if self._lines and not self._due():
                    return self._taken()
                lost, self._lost, self._look_at = self._lost, 0, None
                closing = self._closing
            added = self._owed(lost)  # takes a lock of its own, whose holder may be about to call `put`
            with self._news:
                self._lines.extend(added)
                self._bytes += sum(map(len, added))
                if self._lines:
                    return self._taken()
                if closing:
                    return None

    def _due(self) -> bool:
        """Something is to be added now, or for the last time."""
        if self._lines and self._closing:
            return False
        late = self._look_at is not None and self._now() >= self._look_at
        return late or self._closing or (self._lost > 0 and not self._lines)

    def _taken(self) -> bytes:
        line = self._lines.popleft()
        self._bytes -= len(line)
        return line


def write_to(descriptor: int, data: bytes) -> None:
    """All of it, however long that takes. Raises OSError for what is closed."""
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:  # someone who shares it has made it so
            select.select((), (descriptor,), ())
