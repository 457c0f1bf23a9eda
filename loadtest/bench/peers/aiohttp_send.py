"""aiohttp: `send_str` for each client, with its own deflate for each connection where that is asked for."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

from loadtest.bench.contender import obey, payload


async def main(size: int, *, deflate: bool) -> None:
    sockets: list[web.WebSocketResponse] = []

    async def accept(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=deflate)
        await socket.prepare(request)
        sockets.append(socket)
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.router.add_get("/ws", accept)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    message = payload(size)

    async def burst(count: int) -> None:
        for _ in range(count):
            for socket in sockets:
                await socket.send_str(message)

    await obey(runner.addresses[0][1], lambda: len(sockets), burst)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), deflate="deflate" in sys.argv[2:]))
