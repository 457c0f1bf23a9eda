"""What the text between the blocks names in backticks: files, commands and their options, HTTP paths."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import click

from kstream.cli import main
from tests.docs.blocks import ROOT, name, pages, prose

_ROOMS: Final = ("kstream", "simulator", "loadtest", "js", "tests", "docs", "fixtures")
# Where a page may stand when it says `core/kube/`.
_BASES: Final = (ROOT, ROOT / "kstream")
_FILE = re.compile(r"[\w./-]*\.(py|m?js|ts|json|yaml|toml|lock|sh|md|gz|db|html|csv)")
_FOLDER = re.compile(r"[\w.-]+(/[\w.-]+)*/")
_INSIDE = re.compile(rf"({'|'.join(_ROOMS)}|\.ci)/[\w./-]+")
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")

# Names of files that are not the repository's.
ELSEWHERE: Final = {
    "FILE.lock": "beside the reader's log",
    "report/loadtest.html": "what the load test leaves",
    "report/loadtest_stats.csv": "what the load test leaves",
    "node-role.kubernetes.io/": "the beginning of a label",
    "kstream/react": "of the npm package",
    "kstream/testing": "of the npm package",
}


@dataclass(frozen=True)
class Span:
    """What stands between two backticks."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def spans() -> tuple[Span, ...]:
    return tuple(
        Span(name(page), number, found.replace("\\|", "|"))
        for page in pages()
        for number, line in enumerate(prose(page.read_text("utf-8")).splitlines(), 1)
        for found in _SPAN.findall(line)
    )


def is_path(text: str) -> bool:
    """A file or folder of a repository, and not an HTTP path, a label or a field."""
    return not text.startswith("/") and any(form.fullmatch(text) for form in (_FILE, _FOLDER, _INSIDE))


def exists(page: str, path: str) -> bool:
    """There is such a file or folder: from the page, the root or the package, or anywhere if it is a name alone."""
    if any((base / path).exists() for base in (*_BASES, (ROOT / page).parent)):
        return True
    return path.rstrip("/") in _names() if "/" not in path.rstrip("/") else False


@cache
def _names() -> frozenset[str]:
    found: set[str] = set()
    for room in _ROOMS:
        for _, folders, files in os.walk(ROOT / room):
            folders[:] = [folder for folder in folders if folder not in ("node_modules", "__pycache__")]
            found.update(folders, files)
    return frozenset(found)


def options_in(text: str) -> list[str]:
    return _OPTION.findall(text)


def command_in(text: str) -> click.Command | None:
    """The command of a span such as `kstream sim do ACTION`; None for `kstream COMMAND`, which names none.

    Raises AssertionError for one that is not there.
    """
    command: click.Command = main
    context = click.Context(main)
    for word in text.split()[1:]:
        if not isinstance(command, click.Group) or not word.islower():
            break
        found = command.get_command(context, word)
        assert found is not None, f"there is no command {word!r}"
        command = found
    return None if command is main else command


def options_of(command: click.Command) -> frozenset[str]:
    declared = {
        option
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("--")
    }
    return frozenset(declared | {"--help"})


@cache
def all_options() -> frozenset[str]:
    """Every option of ours: those of the commands, and of what make calls."""
    found: set[str] = set()
    for command in _commands(main, click.Context(main)):
        found |= options_of(command)
    for file in (
        "loadtest/run.py",
        "loadtest/bench/__main__.py",
        "tests/world/__main__.py",
        "tests/fuzz/__main__.py",
        "tests/mutants/__main__.py",
    ):
        found.update(
            re.findall(r'(?:add_argument|click\.option)\(\s*"(--[a-z-]+)"', (ROOT / file).read_text("utf-8"))
        )
    return frozenset(found)


@cache
def variables() -> frozenset[str]:
    """Every environment variable that sets an option."""
    return frozenset(
        parameter.envvar
        for command in _commands(main, click.Context(main))
        for parameter in command.params
        if isinstance(parameter.envvar, str)
    )


def _commands(group: click.Group, context: click.Context) -> Iterator[click.Command]:
    for found in group.list_commands(context):
        command = group.get_command(context, found)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, context)
        else:
            yield command


def targets() -> frozenset[str]:
    """What `make` can be told."""
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert phony is not None
    return frozenset(phony[1].split())


def module(text: str) -> Path:
    """Where `python -m a.b` looks."""
    return ROOT.joinpath(*text.split("."))
