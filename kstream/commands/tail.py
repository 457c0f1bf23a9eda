"""`kstream tail`: a running server's messages, for people and for programs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial

import click
from yarl import URL

from kstream.client import Client, Link, Status
from kstream.commands.address import socket_url
from kstream.config import env_option
from kstream.core.errors import InvalidMessageError, UsageError
from kstream.core.naming import namespace_names
from kstream.core.timeline import timepoint
from kstream.core.timeline.playback import speed_of
from kstream.core.visible import json_text, visible
from kstream.render import Renderer


@click.command()
@click.argument("url", default="ws://127.0.0.1:3001/ws", envvar="KSTREAM_URL")
@env_option(
    "-n",
    "--namespace",
    multiple=True,
    help="Only the pods of this namespace. Repeatable, or several joined by commas.",
)
@env_option(
    "-l",
    "--selector",
    default="",
    help="Only the pods that this label selector matches.",
)
@env_option(
    "--kinds",
    multiple=True,
    help="Only objects of these kinds: pods, nodes, namespaces. Repeatable, or several joined by commas.",
)
@click.option("--at", metavar="POINT", help="From this moment on: RFC 3339, seq:N, -5m (before now).")
@click.option("--speed", metavar="N|max", help="Recorded seconds for a second, from that moment on.")
@click.option("--follow", metavar="ID", help="What another client sees that has rewound.")
@env_option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="A readable line for each message, or the message as it came, one a line.",
)
@env_option("--no-reconnect", is_flag=True, help="End with the connection instead of connecting again.")
def tail(
    url: str,
    namespace: tuple[str, ...],
    selector: str,
    kinds: tuple[str, ...],
    at: str | None,
    speed: str | None,
    follow: str | None,
    output: str,
    no_reconnect: bool,
) -> None:
    """Print the messages of the server at URL until Ctrl-C; reconnects as the contract says.

    URL is its page or its WebSocket (http, https, ws or wss; /ws may be left out); KSTREAM_URL says it too.
    """
    try:
        if at:
            timepoint.parse(at, now=0, field="--at")
        if speed:
            speed_of(speed, field="--speed")
    except InvalidMessageError as invalid:
        raise UsageError(invalid.details) from None
    timeline = {"at": at, "speed": speed, "follow": follow}
    try:
        client = partial(
            Client,
            str(URL(socket_url(url)).update_query({name: said for name, said in timeline.items() if said})),
            namespaces=namespace_names(namespace),
            kinds=tuple(kind for value in kinds for kind in value.split(",")),
            labels=selector,
            reconnect=not no_reconnect,
            wait_for_server=False,
        )
        asyncio.run(_tail(client, output == "json"))
    except (KeyboardInterrupt, BrokenPipeError):
        # Whoever reads our output may stop before we do; Python would complain when it flushes at exit.
        sys.stderr.close()


async def _tail(client_of: Callable[..., Client], as_json: bool) -> None:
    renderer = Renderer.for_stream(sys.stdout)

    def tell(status: Status) -> None:
        if status.link is Link.WAITING:
            failed = f", {status.failed} attempts failed" if status.error is not None else ""
            click.echo(
                f"{visible(status.reason or 'connection lost')}{failed}; trying again in {status.wait:g} s",
                err=True,
            )

    async with client_of(on_status=tell) as client:
        async for message in client.messages():
            click.echo(json_text(message) if as_json else renderer.line(message))
