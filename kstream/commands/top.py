"""`kstream top`: a running server or a recording at a glance, in a terminal."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import click
from yarl import URL

from kstream.client import Client
from kstream.clock import SystemClock
from kstream.commands.address import page_url, socket_url
from kstream.config import ServeSettings, env_option
from kstream.core.errors import ConfigError, InvalidMessageError, KstreamError, LogError, UsageError
from kstream.core.naming import namespace_names
from kstream.core.timeline.playback import speed_of
from kstream.ending import stop_on_signals
from kstream.logs.places import check_kept
from kstream.logs.replay import ReplayLog
from kstream.logs.sqlite import SqliteLog
from kstream.run import Address, replay_of, run

if TYPE_CHECKING:
    from kstream.top.app import Top


# Without a scheme only what has a port is an address: anything else is the name of a file.
_ADDRESS = re.compile(r"[a-z]+://.*|(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):\d+(?:/.*)?", re.ASCII)


@click.command()
@click.argument("source", metavar="[URL|LOG]", default="ws://127.0.0.1:3001/ws", envvar="KSTREAM_URL")
@env_option(
    "-n",
    "--namespace",
    multiple=True,
    help="Only the pods of this namespace. Repeatable, or several joined by commas.",
)
@env_option("-l", "--selector", default="", help="Only the pods that this label selector matches.")
@click.option("--at", metavar="POINT", help="From this moment on: RFC 3339, seq:N, -5m, +90s.")
@click.option("--speed", metavar="N|max", help="Recorded seconds for a second, from that moment on.")
@click.option("--follow", metavar="ID", help="What another client sees that has rewound.")
@env_option(
    "--group",
    type=click.Choice(["node", "namespace", "owner"]),
    default="node",
    help="What pods are grouped by at first; the key g changes it.",
)
def top(
    source: str,
    namespace: tuple[str, ...],
    selector: str,
    at: str | None,
    speed: str | None,
    follow: str | None,
    group: str,
) -> None:
    """Look at the server at URL, or at the recording LOG, in this terminal; pause and rewind it.

    URL is its page or its WebSocket, as for `kstream tail`; without a scheme it has a port (localhost:3001). A LOG is
    played from its beginning on. The key ? tells the others. It needs the extra: pip install 'kstream[tui]'.
    """
    check_terminal()
    app_of = _app()
    timeline = {"at": at, "speed": speed, "follow": follow}
    if speed is not None:
        with _of_option():
            speed_of(speed)
    if _is_recording(source):
        timeline["at"] = at or "+0s"
    asyncio.run(
        _top(
            app_of,
            source,
            {name: said for name, said in timeline.items() if said},
            namespace,
            selector,
            group,
        )
    )


def check_terminal() -> None:
    """Raises UsageError where there is none to draw on."""
    if os.environ.get("TERM") == "dumb" or not all(
        stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)
    ):
        raise UsageError(
            "kstream top needs a terminal for its input and output, and one that can move its cursor: "
            "`kstream tail` prints what a server says, `kstream log` reads a recording"
        )


def _is_recording(source: str) -> bool:
    """Raises UsageError for what is neither an address nor could be the name of a file."""
    if _ADDRESS.fullmatch(source):
        return False
    if not Path(source).exists() and "." not in source and "/" not in source:
        raise UsageError(
            f"{source!r:.200} is neither a recording nor an address: write http://{source:.200}:3001 for a server"
        )
    return True


@contextmanager
def _of_option() -> Iterator[None]:
    """What is wrong with a point or a speed is a wrong option."""
    try:
        yield
    except InvalidMessageError as invalid:
        raise UsageError(f"--{invalid.details.removeprefix('--')}") from None


def _app() -> type[Top]:
    """What draws. Raises ConfigError where the extra is not installed."""
    try:
        from kstream.top.app import Top
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("textual", "rich"):
            raise
        raise ConfigError(
            "kstream top: Textual, which draws it, is not installed; pip install 'kstream[tui]'"
        ) from None
    return Top


async def _top(
    app_of: type[Top],
    source: str,
    timeline: dict[str, str],
    namespace: tuple[str, ...],
    selector: str,
    group: str,
) -> None:
    from kstream.top.board import By
    from kstream.top.feed import ServerFeed

    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        if not _ADDRESS.fullmatch(source):
            source = await _played(stack, source, timeline["at"])
        client = Client(
            str(URL(socket_url(source)).update_query(timeline)),
            namespaces=namespace_names(namespace),
            labels=selector,
            wait_for_server=False,
        )
        await stack.enter_async_context(client)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        feed = ServerFeed(client, http, str(page_url(source)).rstrip("/"))
        # What is refused at once is told where it was typed, not on a screen that goes away.
        await feed.begin()
        stop_on_signals(stop)
        app = app_of(feed, SystemClock(), by=By(group))
        stopping = asyncio.create_task(_stop(stop, app))
        try:
            error = await app.run_async()
        finally:
            stopping.cancel()
        if error is not None:
            raise error
        if app.return_code:
            sys.exit(app.return_code)


async def _stop(stop: asyncio.Event, app: Top) -> None:
    await stop.wait()
    app.exit()


async def _played(stack: AsyncExitStack, path: str, at: str) -> str:
    """The address at which this process plays a recording, to itself, until the stack is left."""
    clock = SystemClock()
    # What a server says of its clients would be written into the picture.
    silent = logging.NullHandler()
    logging.getLogger().addHandler(silent)
    stack.callback(logging.getLogger().removeHandler, silent)
    recording = await SqliteLog.open_read_only(path, clock=clock)
    stack.push_async_callback(recording.close)
    if not recording.head:
        raise LogError(f"Nothing was recorded in {path}: there is nothing to show. `kstream record` says why")
    with _of_option():
        await check_kept(recording, at, field="--at")
    # The timeline that all share stands at its end: that is where `live` goes.
    timeline = await ReplayLog.open(recording, clock, at=f"seq:{recording.head}")
    server = replay_of(timeline, clock, ServeSettings(port=0))
    listening: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    serving = asyncio.create_task(run(server, ready=listening.set_result, stop=stop))

    async def end() -> None:
        stop.set()
        await asyncio.gather(serving, return_exceptions=True)

    stack.push_async_callback(end)
    await asyncio.wait((listening, serving), return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        await serving
        raise KstreamError(f"{path} could not be played")
    return (await listening).page
