"""websockets: its `broadcast`, once for each message."""

from __future__ import annotations

import asyncio
import sys

from websockets.asyncio.server import ServerConnection, broadcast, serve

from loadtest.bench.contender import obey, payload


async def main(size: int) -> None:
    connections: set[ServerConnection] = set()

    async def accept(connection: ServerConnection) -> None:
        connections.add(connection)
        await connection.wait_closed()
        connections.discard(connection)

    message = payload(size)

    async def burst(count: int) -> None:
        for _ in range(count):
            broadcast(connections, message)

    async with serve(accept, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        await obey(port, lambda: len(connections), burst)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
