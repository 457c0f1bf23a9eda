"""Bytes as they come off a socket → whole lines (LISTWATCH 13)."""

from __future__ import annotations

from typing import Final

MAX_LINE: Final = 16 * 1024 * 1024  # bytes, without the newline


class LineSplitter:
    """Cuts a watch into lines, wherever the network cut it. Blank lines are left out.

    What follows the last newline waits for more; at the end of a stream it is torn and simply forgotten.
    """

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._waiting = 0  # bytes in _parts
        self.oversize = False  # a line passed the limit: nothing after it can be trusted

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their newlines; none any more once `oversize`."""
        if self.oversize:
            return []
        lines = data.split(b"\n")
        tail = lines.pop()
        if lines and self._parts:
            lines[0] = b"".join((*self._parts, lines[0]))
            self._parts.clear()
            self._waiting = 0
        whole: list[bytes] = []
        for line in lines:
            if len(line) > self._limit:
                self.oversize = True
                return whole
            if line and not line.isspace():
                whole.append(line)
        self._keep(tail)
        return whole

    def _keep(self, part: bytes) -> None:
        if part:
            self._parts.append(part)
            self._waiting += len(part)
            if self._waiting > self._limit:
                self.oversize = True
                self._parts.clear()
