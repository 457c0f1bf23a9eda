"""What the serving commands have in common: their settings, and the options that set them.

Every option is also an environment variable, `KSTREAM_` and its name: `--max-clients` is KSTREAM_MAX_CLIENTS.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any, Final, Literal, TypeVar

import click
from pydantic import BaseModel, ConfigDict, Field

from kstream.core.delivery.origins import allowed_hosts, allowed_origins, host_form
from kstream.core.delivery.socketfaults import SocketFault, parse_faults
from kstream.core.errors import UsageError

LOG_FORMAT: Final = "kstream.log_format"  # in the meta of click's context: the form of what is said on stderr
VERSION: Final = version("kstream")

F = TypeVar("F", bound=Callable[..., Any])


_MOST_CLIENTS: Final = 1_000_000
_MOST_TIMELINES: Final = 10_000
_MOST_WORKERS: Final = 256
_DAY: Final = 86_400.0  # seconds
_OFTEN: Final = 0.1  # seconds


class ServeSettings(BaseModel):
    """Where to serve and whom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=3001, ge=0, le=65535)  # 0 picks a free one
    allow_origin: tuple[str, ...] = ()
    allow_host: tuple[str, ...] = ()
    max_clients: int = Field(default=10_000, ge=1, le=_MOST_CLIENTS)
    max_timelines: int = Field(default=100, ge=0, le=_MOST_TIMELINES)
    metrics_interval: float = Field(default=10.0, gt=0, le=_DAY)  # seconds
    fault: tuple[SocketFault, ...] = ()
    output: Literal["text", "json"] = "text"
    end_with_stdin: bool = False
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"


# Kubernetes sets KSTREAM_PORT=tcp://10.0.0.1:80 in every pod beside a Service that is named kstream.
_SERVICE_LINK = re.compile(r"(?:tcp|udp|sctp)://\S+:\d+", re.ASCII)


class Finite(click.FloatRange):
    """A number in a range: neither nan, which no comparison keeps out, nor an infinity."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r:.60} is no finite number.", param, ctx)
        return number


class _Option(click.Option):
    """An option whose variable may have been set by Kubernetes, for a Service of that name: that says nothing."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        value = super().resolve_envvar_value(ctx)
        return None if value is not None and _SERVICE_LINK.fullmatch(value) else value


def env_option(*declarations: str, **attributes: Any) -> Callable[[F], F]:
    """`click.option` that can also be set as KSTREAM_…, and says so in --help."""
    long = next(name for name in declarations if name.startswith("--"))
    variable = "KSTREAM_" + long.removeprefix("--").split("/")[0].replace("-", "_").upper()
    attributes.setdefault("envvar", variable)
    attributes.setdefault("show_envvar", True)
    attributes.setdefault("show_default", True)
    attributes.setdefault("cls", _Option)
    return partial(_decorate, declarations, attributes)


def _decorate(declarations: tuple[str, ...], attributes: dict[str, Any], command: F) -> F:
    return click.option(*declarations, **attributes)(command)


def _remember(ctx: click.Context, _: click.Parameter, value: str) -> str:
    ctx.meta[LOG_FORMAT] = value  # for what fails before the log of the process begins
    return value


LOGGING_OPTIONS = (
    env_option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        is_eager=True,
        callback=_remember,
        help="What happens, on stderr: lines for people, or a JSON object a line.",
    ),
    env_option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        help="The least that is worth a line; debug has every request.",
    ),
)


def logging_options(command: F) -> F:
    """The options of what is said on stderr, of commands that run for long."""
    for option in reversed(LOGGING_OPTIONS):
        command = option(command)
    return command


SERVING_OPTIONS = (
    env_option("--host", default="127.0.0.1", help="Address to listen on."),
    env_option("--port", type=click.IntRange(0, 65535), default=3001, help="Port; 0 picks a free one."),
    env_option(
        "--allow-origin",
        multiple=True,
        metavar="ORIGIN",
        help="Another origin whose pages may connect, such as http://localhost:5173 or https://*.shop.test; '*' for "
        "any. Repeatable.",
    ),
    env_option(
        "--allow-host",
        multiple=True,
        metavar="NAME",
        help="Another name under which this server may be addressed (the Host header); *.NAME for all below it, '*' "
        "for any. Repeatable.",
    ),
    env_option(
        "--max-clients",
        type=click.IntRange(1, _MOST_CLIENTS),
        default=10_000,
        help="Clients at once; the next one gets 503.",
    ),
    env_option(
        "--max-timelines",
        type=click.IntRange(0, _MOST_TIMELINES),
        default=100,
        help="Clients at once that may rewind, each on a private timeline with a state of its own; 0: nobody.",
    ),
    env_option(
        "--metrics-interval",
        type=Finite(_OFTEN, _DAY),
        default=10.0,
        help="Seconds between metrics messages.",
    ),
    env_option(
        "--fault",
        multiple=True,
        metavar="FAULT",
        help="Misbehave towards clients, for tests of a frontend: drop:after=10, delay:seconds=0.5, mute, deaf, "
        "refuse:first=3 and more (docs/faults.md). Repeatable.",
    ),
    env_option(
        "-o",
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        help="How to print the address at the start.",
    ),
    env_option(
        "--end-with-stdin",
        is_flag=True,
        help="Stop when stdin ends, where it is no terminal: for whoever starts this and may be killed.",
    ),
    *LOGGING_OPTIONS,
)


workers_option = env_option(
    "--workers",
    type=click.IntRange(1, _MOST_WORKERS),
    default=1,
    help="Processes that serve, behind one port, while this one records: for more clients than a core can take.",
)


def serving_options(command: F) -> F:
    """The options of every command that serves; they arrive as keyword arguments for `serve_settings`."""
    for option in reversed(SERVING_OPTIONS):
        command = option(command)
    return command


def serve_settings(options: dict[str, Any]) -> ServeSettings:
    """Take the serving options out of a command's keyword arguments.

    Raises UsageError for an address, a name or an origin that nobody could ever have.
    """
    taken = {name: options.pop(name) for name in ServeSettings.model_fields}
    allowed_origins(taken["allow_origin"])
    allowed_hosts(taken["allow_host"])
    return ServeSettings(**taken | {"fault": parse_faults(taken["fault"]), "host": listening(taken["host"])})


def listening(host: str) -> str:
    """The address or name to listen on, as it was given; one of IPv6 without its brackets. Raises UsageError."""
    form = host_form(host)
    if not form or "*" in form:
        raise UsageError(
            f"--host {host[:200]!r} is no address to listen on: write 127.0.0.1, ::1 or a name of this machine, or "
            "0.0.0.0 or :: for all its addresses"
        )
    return form
