"""Bytes as they come off a socket → whole lines (LISTWATCH 13)."""

from __future__ import annotations

from typing import Final

MAX_LINE: Final = 16 * 1024 * 1024  # bytes, without the newline
_SPACE: Final = 0x20  # what begins with a greater byte is not blank


class LineSplitter:
    """Cuts a watch into lines, wherever the network cut it. Blank lines are left out.

    What follows the last newline waits for more; at the end of a stream it is torn and simply forgotten.
    """

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._waiting = 0  # bytes in _parts
        self.oversize = False  # a line passed the limit: nothing after it can be trusted

    def feed(self, data: bytes) -> list[bytes | memoryview]:
        """The lines that `data` completes, without their newlines; none any more once `oversize`.

        A line that is whole in `data` is a view of it: with 150,000 pods, copying each shows.
        """
        if self.oversize:
            return []
        end = data.find(b"\n")
        if end < 0:
            self._keep(data)
            return []
        whole: list[bytes | memoryview] = []
        at, view, find, limit = 0, memoryview(data), data.find, self._limit
        if self._parts:
            first = b"".join((*self._parts, data[:end]))
            self._parts.clear()
            self._waiting = 0
            if len(first) > limit:
                self.oversize = True
                return []
            if not first.isspace():
                whole.append(first)
            at, end = end + 1, find(b"\n", end + 1)
        while end >= 0:
            if end - at > limit:
                self.oversize = True
                return whole
            if end > at and (data[at] > _SPACE or not data[at:end].isspace()):
                whole.append(view[at:end])
            at, end = end + 1, find(b"\n", end + 1)
        self._keep(data[at:])
        return whole

    def _keep(self, part: bytes) -> None:
        if part:
            self._parts.append(part)
            self._waiting += len(part)
            if self._waiting > self._limit:
                self.oversize = True
                self._parts.clear()
