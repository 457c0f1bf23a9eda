"""picows: a `send` for each client and message."""

from __future__ import annotations

import asyncio
import sys

from picows import WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from loadtest.bench.contender import obey, payload


async def main(size: int) -> None:
    transports: list[WSTransport] = []

    class Listener(WSListener):
        def on_ws_connected(self, transport: WSTransport) -> None:
            transports.append(transport)

    def accept(_: WSUpgradeRequest) -> WSListener:
        return Listener()

    server = await ws_create_server(accept, "127.0.0.1", 0)
    message = payload(size).encode()

    async def burst(count: int) -> None:
        for _ in range(count):
            for transport in transports:
                transport.send(WSMsgType.TEXT, message)

    await obey(server.sockets[0].getsockname()[1], lambda: len(transports), burst)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
