"""The other processes behind the port (`--workers`): a private timeline is one's, and any may be asked for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from aiohttp import web


class Neighbours(Protocol):
    """As this process knows them."""

    @property
    def prefix(self) -> str:
        """What the ids of the private timelines here begin with."""
        ...

    async def hand_over(self, request: web.Request, name: str) -> bool:
        """Whether the connection is gone, with this request, to the process that has the timeline `name`; it is neither
        answered nor closed here then."""
        ...

    def welcome(self, greet: Callable[[], asyncio.Protocol]) -> None:
        """From now on the connections that others hand over are served; `greet` makes the protocol of one."""
        ...


class Alone:
    """There are none."""

    prefix = ""

    async def hand_over(self, request: web.Request, name: str) -> bool:
        return False

    def welcome(self, greet: Callable[[], asyncio.Protocol]) -> None:
        """Nobody hands anything over."""
