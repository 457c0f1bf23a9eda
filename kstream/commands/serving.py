"""What the serving commands share: the line at the start, signals, and the event loop."""

from __future__ import annotations

import asyncio
import json

import click

from kstream.run import Address, Server, run, stop_on_signals


def announce(server: Server, address: Address) -> None:
    """One line with where to connect; with `-o json` one object for programs."""
    if server.settings.output == "json":
        line = json.dumps(
            {
                "mode": server.mode,
                "page": address.page,
                "websocket": address.websocket,
                "host": address.host,
                "port": address.port,
                "epoch": server.log.epoch,
            }
        )
    else:
        line = f"kstream {server.mode}: {address.websocket}  ·  open {address.page}  ·  Ctrl-C stops"
    click.echo(line)


async def serve_until_stopped(server: Server) -> None:
    """Run the server until Ctrl-C or SIGTERM, then close the log."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    try:
        await run(server, ready=lambda address: announce(server, address), stop=stop)
    finally:
        await server.log.close()
