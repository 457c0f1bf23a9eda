"""`kstream mcp`: what a recording or a running server holds, as tools for an agent."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import click

from kstream.agents.answers import Answers
from kstream.agents.reads import LogReads, Reads
from kstream.agents.serverreads import ServerReads
from kstream.commands.address import page_url
from kstream.config import env_option
from kstream.core.errors import BindError, ConfigError, UsageError
from kstream.ending import stdin_until, stop_on_signals
from kstream.logs.sqlite import SqliteLog

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer


@click.command()
@click.argument("source", metavar="LOG|URL")
@env_option("--http", is_flag=True, help="Serve streamable HTTP on this machine, not stdin and stdout.")
@env_option(
    "--port", type=click.IntRange(0, 65535), default=3002, help="Of --http, on 127.0.0.1; 0 picks a free one."
)
@env_option("--page", metavar="URL", help="Of a LOG: where people look at it, for the links of answers.")
def mcp(source: str, *, http: bool, port: int, page: str | None) -> None:
    """Answer an agent's questions about LOG, or about the running server at URL, over the Model Context Protocol.

    It has tools that only read: summary, what_changed, history, when, state_at; and the resource kstream://live. It
    needs the extra: pip install 'kstream[mcp]'.
    """
    asyncio.run(_run(_sdk(), source, http=http, port=port, page=page))


def _sdk() -> Callable[[Answers], MCPServer[Any]]:
    """What makes a server. Raises ConfigError where the extra is not installed."""
    try:
        from kstream.agents.server import make_server
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "mcp":
            raise
        raise ConfigError(
            "kstream mcp: the Model Context Protocol's SDK is not installed; pip install 'kstream[mcp]'"
        ) from None
    return make_server


async def _run(
    make_server: Callable[[Answers], MCPServer[Any]], source: str, *, http: bool, port: int, page: str | None
) -> None:
    async with AsyncExitStack() as stack:
        # It looks for what else is installed, on the disk.
        server = await asyncio.to_thread(make_server, Answers(await _reads(stack, source, page)))
        stop = asyncio.Event()
        stop_on_signals(stop)
        if http:
            await _serve(server, port, stop)
        else:
            if sys.stdin is not None and sys.stdin.isatty():
                click.echo(
                    "kstream mcp: an agent speaks here, over stdin and stdout; --http is for those that connect"
                    "  ·  Ctrl-C stops",
                    err=True,
                )
            async with stdin_until(stop):
                await server.run_stdio_async()


async def _reads(stack: AsyncExitStack, source: str, page: str | None) -> Reads:
    if "://" in source:
        if page is not None:
            raise UsageError("--page is for a LOG: a URL is its own page")
        http = await stack.enter_async_context(aiohttp.ClientSession())
        return ServerReads(http, str(page_url(source)).rstrip("/"))
    log = await SqliteLog.open_read_only(Path(source))
    stack.push_async_callback(log.close)
    return LogReads(log, page=str(page_url(page)).rstrip("/") if page is not None else "")


async def _serve(server: MCPServer[Any], port: int, stop: asyncio.Event) -> None:
    import uvicorn

    from kstream.agents.server import security

    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
            listening.listen()
        except OSError as error:
            raise BindError(
                f"cannot listen on 127.0.0.1:{port}: {error.strerror}; choose another --port (0 picks a free one)"
            ) from error
        port = listening.getsockname()[1]
        app = server.streamable_http_app(transport_security=security(port))
        click.echo(f"kstream mcp: http://127.0.0.1:{port}/mcp  ·  Ctrl-C stops")
        serving = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
        # It would end the process by the signals that it gets; we end at them in order.
        serving.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
        stopped, served = (asyncio.ensure_future(each) for each in (stop.wait(), serving.serve([listening])))
        await asyncio.wait((stopped, served), return_when=asyncio.FIRST_COMPLETED)
        serving.should_exit = True
        stopped.cancel()
        await served
