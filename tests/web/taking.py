"""Messages off a socket."""

from __future__ import annotations

from typing import Any

from websockets.asyncio.client import ClientConnection

from tests.web.serving import decoded


async def take(ws: ClientConnection, count: int) -> list[dict[str, Any]]:
    return [decoded(await ws.recv()) for _ in range(count)]
