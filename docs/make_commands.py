"""Writes docs/commands.md: the --help of every command. A test checks that the page is current.

Run it with `python docs/make_commands.py`, or with the others: `make generated`.
"""

from __future__ import annotations

from pathlib import Path

import click

from kstream.cli import CONTEXT, main

PAGE = Path(__file__).with_name("commands.md")

HEAD = """# Commands

Every option can also be set in the environment, under the name that is shown with it. Made by `docs/make_commands.py`.

- `KSTREAM_URL` is one server for `tail` and for `sim do`: `http://127.0.0.1:3001`, `ws://127.0.0.1:3001/ws` and what
  lies between (http, https, ws, wss; with `/ws` or without) mean the same.
- What Kubernetes sets for a Service that is named `kstream` (`KSTREAM_PORT=tcp://10.0.0.1:80` and the like) is taken
  for no option.
- Ctrl-C, SIGTERM and SIGHUP end a command in order, within 30 seconds; a second one ends it at once. With `nohup`,
  SIGHUP does nothing.

"""


def page() -> str:
    """The page as it should be."""
    context = click.Context(main, info_name="kstream", terminal_width=100, max_content_width=100, **CONTEXT)
    parts = [HEAD, _section(main, context)]
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        below = _context(command, name, context)
        parts.append(_section(command, below))
        if isinstance(command, click.Group):
            for inner in command.list_commands(below):
                found = command.get_command(below, inner)
                assert found is not None
                parts.append(_section(found, _context(found, inner, below)))
    return "\n".join(parts)


def _context(command: click.Command, name: str, parent: click.Context) -> click.Context:
    return click.Context(command, info_name=name, parent=parent, terminal_width=100, max_content_width=100)


def _section(command: click.Command, context: click.Context) -> str:
    return f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
