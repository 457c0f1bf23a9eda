"""`kstream log`: what is in a recording, read from its file, and other files made of it. Only `trim` changes it."""

from __future__ import annotations

from importlib import import_module

import click

_COMMANDS = (
    "info",
    "events",
    "state",
    "diff",
    "history",
    "timeline",
    "when",
    "verify",
    "export",
    "import",
    "cut",
    "page",
    "redact",
    "merge",
    "trim",
)
_MODULES = {"import": "imports"}  # of a name that Python keeps for itself


class _Group(click.Group):
    """Its commands, each loaded when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        name = _MODULES.get(cmd_name, cmd_name)
        found = getattr(import_module(f"kstream.commands.log.{name}"), name)
        return found if isinstance(found, click.Command) else None


@click.group(cls=_Group)
def log() -> None:
    """Read a recording: at any moment, between two, or one object of it; and make another file of it.

    LOG is the file of an event log, of any format that there ever was; it may be written meanwhile. Only
    trim changes it. A POINT is RFC 3339
    (2026-01-24T10:00:00Z), +90s (from the beginning), -5m (from the end) or seq:N.
    """
