"""The commands of a shell block, and what a program of ours says to their words without being run."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import click

from kstream.cli import main
from tests.docs.blocks import ROOT, Block, blocks
from tests.docs.names import targets

_JOINS: Final = frozenset({";", "&&", "||", "|", "&"})
_REDIRECTS: Final = frozenset({">", ">>", "<", "2>", "&>"})

# Programs that are at most looked at, each with the reason.
NOT_RUN: Final = {
    "make": "its targets set up what runs these tests, run them, or take minutes",
    "pip": "what it would install is here",
    "npm": "the same; what it would install is made and tried by tests/js",
    "go": "test_generated.py does, with what is made before it",
    "npx": "test_generated.py does, where what it would fetch is installed",
    "datasette": "a program of its own for any SQLite file; nothing of ours needs it",
    "kstream top": "it draws in a terminal: tests/commands/test_top.py gives it one; here its words are looked at",
}


@dataclass(frozen=True)
class Command:
    """A line of a shell, as long as it goes on."""

    place: str
    text: str  # without the `&` at its end
    programs: tuple[tuple[str, ...], ...]  # the words of each program in it
    background: bool

    @property
    def words(self) -> tuple[str, ...]:
        return self.programs[0]


def commands(block: Block) -> Iterator[Command]:
    """The commands of a block. Raises ValueError for quotes that do not end."""
    gathered, began = "", block.line
    lines = block.text.splitlines()
    for number, line in enumerate(lines, block.line):
        gathered, began = (f"{gathered}\n{line}", began) if gathered else (line, number)
        if line.endswith("\\"):
            gathered = gathered.removesuffix("\\")
            continue
        try:
            tokens = _tokens(gathered)
        except ValueError:
            if number == block.line + len(lines) - 1:
                raise
            continue
        if tokens:
            background = tokens[-1] == "&"
            text = gathered.rsplit("&", 1)[0] if background else gathered
            yield Command(f"{block.page}:{began}", text.strip(), tuple(_programs(tokens)), background)
        gathered = ""


def _tokens(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    return list(lexer)


def _programs(tokens: Sequence[str]) -> Iterator[tuple[str, ...]]:
    words: list[str] = []
    for before, token in pairwise(["", *tokens, ";"]):
        if token in _JOINS:
            if words:
                yield tuple(words)
            words = []
        elif token not in _REDIRECTS and before not in _REDIRECTS and (words or not _sets(token)):
            words.append(token)


def _sets(token: str) -> bool:
    """`NAME=value` before a program is its environment."""
    return token.partition("=")[0].isidentifier() and "=" in token


def answered(block: Block) -> Block | None:
    """The block of commands whose last one prints what this block shows."""
    before = None
    for other in blocks():
        if other == block and before is not None and before.page == block.page and before.tag == "sh":
            last = list(commands(before))[-1].words
            return before if program(last) == "curl" or last[:2] == ("kstream", "sim") else None
        before = other
    return None


def is_not_run(words: Sequence[str]) -> bool:
    """Whether a program, or a command of one, stands in NOT_RUN."""
    name = program(words)
    return name in NOT_RUN or " ".join((name, *words[1:2])) in NOT_RUN


def program(words: Sequence[str]) -> str:
    """What is called, wherever it lies: `.venv/bin/kstream` is kstream."""
    return Path(words[0]).name


def check(command: Command) -> None:
    """Look at the words without running anything; raises AssertionError for what would not work."""
    for words in command.programs:
        _check(words)


def _check(words: Sequence[str]) -> None:
    match program(words):
        case "kstream":
            parsed(words[1:])
        case "make":
            check_make(words[1:])
        case "python" | "python3":
            check_python(words[1:])
        case "pip":
            check_pip(words[1:])
        case "curl" | "kubectl" | "sqlite-utils":
            pass  # run against what is there
        case other:
            assert other in NOT_RUN, f"nobody says what is done with {other!r}: run it, or say why not"


def parsed(arguments: Sequence[str]) -> click.Context:
    """What click makes of the words after `kstream`, with nothing invoked."""
    command: click.Command = main
    context = click.Context(main, info_name="kstream")
    rest = list(arguments)
    while isinstance(command, click.Group):
        assert rest, "a command is missing"
        found = command.get_command(context, name := rest.pop(0))
        assert found is not None, f"there is no command {name!r}"
        command, parent = found, context
        if not isinstance(command, click.Group):
            try:
                return command.make_context(name, rest, parent=parent)
            except click.ClickException as error:
                raise AssertionError(f"kstream {shlex.join(arguments)}: {error.format_message()}") from None
        context = click.Context(command, info_name=name, parent=parent)
    raise AssertionError("unreachable")


def check_make(arguments: Sequence[str]) -> None:
    """The target is there, and the module that it calls takes what it is given."""
    for word in arguments:
        # Make itself takes the name of any file for a target.
        assert "=" in word or word in targets(), f"make: there is no target {word!r}"
    # Not with what the `make test` around this test was given.
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    done = subprocess.run(
        ["make", "--dry-run", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for line in done.stdout.replace("\\\n", "").splitlines():
        for words in _programs(_tokens(line)):
            if (
                program(words) == "python"
                and words[1:2] == ("-m",)
                and words[2].startswith(("tests.", "loadtest."))
            ):
                check_python(words[1:])


def check_python(arguments: Sequence[str]) -> None:
    assert arguments[0] == "-m", f"python {arguments[0]}: a file is run by nobody yet"
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.parse_only", *arguments[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def check_pip(arguments: Sequence[str]) -> None:
    """What is installed of ours has the extras that are asked for."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert arguments[0] == "install"
    for word in arguments[1:]:
        package, bracket, asked = word.partition("[")
        if bracket and package in ("kstream", "."):
            assert set(asked.rstrip("]").split(",")) <= set(extras), f"{word}: there are {sorted(extras)}"
