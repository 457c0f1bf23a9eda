"""The command line: finds the command that was typed, and turns errors into a line and an exit code.

A command is imported when it is used, so that `kstream tail` does not wait for the Kubernetes client. Commands of
other packages join through the entry-point group `kstream.commands`: kstream imports none of them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final

import click

from kstream.collecting import collect_seldom
from kstream.core.errors import KstreamError
from kstream.core.visible import visible
from kstream.ending import stopped_from_the_start, written_out

_OWN = ("serve", "replay", "record", "log", "trim", "tail", "top", "check", "schema", "mcp")
_MOVED = {"trim": "log.trim"}  # where those are that have another name today, and keep the old one
_EXTENSIONS = "kstream.commands"
# A signal is how these end. Any other one that is broken off has not done what was asked for.
_UNTIL_STOPPED = ("serve", "replay", "record", "tail", "top", "simulate", "fake-apiserver")

CONTEXT: Final = {"help_option_names": ["-h", "--help"]}
EPILOG = """\b
Exit codes: 0 done or stopped, 1 another error, 2 wrong usage, 3 configuration,
4 unreachable, 5 forbidden, 6 event log, 7 address in use,
8 a history that is not in one piece.
Every option can be set as an environment variable: --max-clients is KSTREAM_MAX_CLIENTS."""


class KstreamGroup(click.Group):
    """The commands, each loaded when wanted; a KstreamError becomes its line on stderr and its exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_OWN, *sorted(point.name for point in entry_points(group=_EXTENSIONS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _OWN:
            command = getattr(import_module(f"kstream.commands.{_MOVED.get(cmd_name, cmd_name)}"), cmd_name)
        else:
            found = [point.load() for point in entry_points(group=_EXTENSIONS, name=cmd_name)]
            command = found[0] if found else None
        return command if isinstance(command, click.Command) else None

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        arguments = list(sys.argv[1:] if args is None else args)
        if next((word for word in arguments if not word.startswith("-")), "") in _UNTIL_STOPPED:
            stopped_from_the_start()
        with written_out():
            return super().main(arguments, *rest, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        collect_seldom()
        try:
            return super().invoke(ctx)
        except KstreamError as error:
            _tell(error, ctx)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            # Commands that wait handle Ctrl-C themselves; this is one that was interrupted before it could.
            sys.exit(130)


def _tell(error: KstreamError, ctx: click.Context) -> None:
    """The error of a command that had no process log yet, in the form that it was asked for."""
    # What this needs is loaded by then: whatever raises has read its options.
    from kstream.clock import SystemClock
    from kstream.config import LOG_FORMAT
    from kstream.processlog.lines import Lines

    line = f"Error: {visible(str(error))}"
    if ctx.meta.get(LOG_FORMAT) == "json":
        # Programs read stderr: what fails before the log of the process begins is a line of it all the same.
        fields = {"message": str(error), "exit_code": error.exit_code}
        line = Lines("json", {}).line("error", "failed", fields, time=SystemClock().time())
    click.echo(line, err=True)


@click.group(cls=KstreamGroup, epilog=EPILOG, context_settings=CONTEXT)
@click.version_option(package_name="kstream")
def main() -> None:
    """Stream a Kubernetes cluster to browsers over one WebSocket, and do it again."""
