"""The harness of kstream's Python client.

kstream certify -- python -m simulator.certify.harnesses.python_client
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from typing import Any

from kstream.client import Client, Link, Status
from kstream.clock import VirtualClock

CAN = ("start", "advance", "subscribe", "resume", "retry-after")


class Contestant:
    """A client at a time, in a time that passes when it is said."""

    def __init__(self, url: str) -> None:
        self._clock = VirtualClock()
        self._at_rest = asyncio.Event()  # it is connected, or waits
        self._following: asyncio.Task[None] | None = None
        self._client = Client(url, clock=self._clock)

    async def start(self, url: str) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait((self._following,))
        self._clock = VirtualClock()
        self._client = Client(url, clock=self._clock, on_status=self._tell)
        self._following = asyncio.create_task(self._follow(self._client))

    async def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What is to be printed; {} for what it does not know."""
        match asked["ask"]:
            case "can":
                return {"can": CAN}
            case "fold":
                return self._fold()
            case "start":
                await self.start(asked["url"])
            case "advance":
                # Its own waits begin when it has done what it was at: it also asks why it was refused.
                await self._at_rest.wait()
                await self._clock.advance(asked["ms"] / 1000)
            case "subscribe":
                await self._client.subscribe(asked["namespaces"])
        return {}

    def _fold(self) -> dict[str, Any]:
        state, status = self._client.state, self._client.status
        return {
            **state.view(),
            "podCounts": {
                space["name"]: state.pod_count(space["name"]) for space in state.namespaces.values()
            },
            "seq": state.seq,
            "stale": state.stale,
            "asOf": state.as_of,
            "metrics": state.metrics,
            "error": None if status.error is None else str(status.error),
            "faults": list(state.faults),
        }

    def _tell(self, status: Status) -> None:
        if status.link is Link.CONNECTING:
            self._at_rest.clear()
        else:
            self._at_rest.set()

    @staticmethod
    async def _follow(client: Client) -> None:
        async with client:
            async for _ in client.messages():
                pass


async def _main() -> None:
    contestant = Contestant(os.environ["KSTREAM_URL"])
    await contestant.start(os.environ["KSTREAM_URL"])
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        sys.stdout.write(json.dumps(await contestant.answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main())
