"""The way to a client that reads nothing."""

from __future__ import annotations

import asyncio

from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict


class Stuck(AbstractStreamWriter):
    """The way to a client that reads nothing."""

    async def write(self, chunk: bytes | bytearray | memoryview) -> None:
        await asyncio.Event().wait()

    async def write_eof(self, chunk: bytes = b"") -> None:
        await asyncio.Event().wait()

    async def drain(self) -> None:
        pass

    def enable_compression(self, encoding: str = "deflate", strategy: int | None = None) -> None:
        pass

    def enable_chunking(self) -> None:
        pass

    async def write_headers(self, status_line: str, headers: CIMultiDict[str]) -> None:
        pass
