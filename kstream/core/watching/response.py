"""The response that is being received: its head, and of its body no more than may be kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kstream.core.watching.lines import MAX_LINE, LineSplitter
from kstream.core.watching.reflection import Moment

MAX_PAGE: Final = 256 << 20  # bytes of a page: 500 objects of half a megabyte
MAX_LIST: Final = 2 << 30  # bytes of a list without pages: 150,000 pods of 14 KB
MAX_REFUSAL: Final = 64 << 10  # bytes of what comes with another status than 200


class Response:
    """`most`: bytes of a body that is kept whole; the lines of a watch are not kept."""

    def __init__(self, status: int, headers: Mapping[str, str], now: Moment, *, most: int) -> None:
        self.status = status
        self.headers = headers
        self.opened = now.monotonic
        self.most = most
        self.lines = LineSplitter(MAX_LINE)
        self.heard_bytes = False
        self.heard_lines = False
        self._body: list[bytes] = []
        self._received = 0  # bytes, kept or not

    @property
    def ok(self) -> bool:
        return self.status == 200

    def keep(self, data: bytes) -> bool:
        """Keep a part of the body. False: there is more than may be kept; of a refusal its beginning will do."""
        before = self._received
        self._received += len(data)
        if self.ok and self._received > self.most:
            return False
        if self.ok or before < MAX_REFUSAL:
            self._body.append(data)
        return True

    def body(self) -> bytes:
        return b"".join(self._body)
