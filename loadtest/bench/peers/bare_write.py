"""The limit of what one process can do: finished frames, written to each descriptor in a bare loop, and nothing else.

No cursors, no buckets, no filters, no log; a client that does not read in time would be torn. All that is sent at once
is one write, so that its cost for the kernel is that of kstream's flush.
"""

from __future__ import annotations

import asyncio
import os
import sys

from aiohttp import web

from kstream.core.delivery.frames import text_frame
from loadtest.bench.contender import obey, payload


async def main(size: int) -> None:
    descriptors: list[int] = []

    async def accept(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        assert request.transport is not None
        descriptors.append(request.transport.get_extra_info("socket").fileno())
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.router.add_get("/ws", accept)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    frame = text_frame(payload(size).encode(), 0)

    async def burst(count: int) -> None:
        write, data = os.write, frame * count
        for descriptor in descriptors:
            if write(descriptor, data) != len(data):
                raise RuntimeError(
                    "a client does not read as fast as it is written to: the figure is worth nothing"
                )

    await obey(runner.addresses[0][1], lambda: len(descriptors), burst)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
