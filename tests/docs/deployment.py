"""What starts kstream, or stands before it: Dockerfiles and nginx. Each yields what is wrong with it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any, Final

from kstream.config import ServeSettings
from tests.docs.names import variables
from tests.docs.shell import check_pip, parsed

_PORT: Final = ServeSettings().port
# fmt: off
_INSTRUCTIONS: Final = frozenset({
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "SHELL",
    "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
})
# fmt: on
_TOKEN = re.compile(r"""#[^\n]*|"[^"]*"|'[^']*'|[{};]|[^\s{};"']+""")


def dockerfile(text: str) -> Iterator[str]:
    """Raises AssertionError for a command that kstream or pip does not take."""
    words: dict[str, list[str]] = {}
    lines = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n?", "", text, flags=re.MULTILINE)).splitlines()
    instructions = [line.strip().partition(" ") for line in lines if line.strip()]
    if not instructions or instructions[0][0] not in ("FROM", "ARG"):
        yield "it begins with FROM"
    for name, _, rest in instructions:
        if name not in _INSTRUCTIONS:
            yield f"there is no instruction {name}"
        elif name in ("ENTRYPOINT", "CMD"):
            if not rest.startswith("["):
                yield f"{name} in a shell, which keeps signals from kstream: write a list"
                continue
            words[name] = json.loads(rest)
        elif name == "ENV":
            set_here = re.findall(r"\b(KSTREAM_\w+)", rest)
            yield from (
                f"no option is set by {unknown}" for unknown in set_here if unknown not in variables()
            )
        elif name == "EXPOSE" and rest != str(_PORT):
            yield f"kstream listens on {_PORT}"
        elif name == "RUN" and "pip install" in rest:
            check_pip(shlex.split(rest.partition("pip ")[2]))
    started = [*words.get("ENTRYPOINT", ()), *words.get("CMD", ())]
    if started[:1] == ["kstream"] and len(started) > 1:
        given = parsed(started[1:]).params
        if given.get("host") == "127.0.0.1":
            yield "nothing outside of the container reaches 127.0.0.1: --host 0.0.0.0"


# An nginx block: directives, each its words and the directives in its braces.
Directive = tuple[list[str], list[Any]]


def directives(text: str) -> list[Directive]:
    """Raises ValueError for braces and ends that do not match."""
    stack: list[list[Directive]] = [[]]
    words: list[str] = []
    began = 0
    for found in _TOKEN.finditer(text):
        token, line = found[0], text.count("\n", 0, found.start())
        if token.startswith("#"):
            continue
        if token == "{" and words and line != began:
            raise ValueError(f"nothing ends {words[0]!r}")
        if token == "{":
            inner: list[Directive] = []
            stack[-1].append((words, inner))
            stack.append(inner)
            words = []
        elif token == "}":
            if words or len(stack) == 1:
                raise ValueError(f"nothing ends {words[0]!r}" if words else "a brace closes what is not open")
            stack.pop()
        elif token == ";":
            stack[-1].append((words, []))
            words = []
        else:
            began = began if words else line
            words.append(token.strip("\"'"))
    if words or len(stack) > 1:
        raise ValueError(f"nothing ends {words[0]!r}" if words else "a brace is not closed")
    return stack[0]


def nginx(text: str) -> Iterator[str]:
    found = list(_all(directives(text)))
    passed = [words[1] for words in found if words[0] == "proxy_pass"]
    servers = [words[1] for words in found if words[0] == "server" and len(words) > 1]
    for address in servers or passed:
        if not address.rstrip("/").endswith(f":{_PORT}"):
            yield f"{address}: kstream listens on {_PORT}"
    # Without these a WebSocket does not get through.
    if passed and ["proxy_http_version", "1.1"] not in found:
        yield "proxy_http_version 1.1 is missing"
    if passed and ["proxy_set_header", "Upgrade", "$http_upgrade"] not in found:
        yield "proxy_set_header Upgrade $http_upgrade is missing"


def _all(found: list[Directive]) -> Iterator[list[str]]:
    for words, inner in found:
        if words:
            yield words
        yield from _all(inner)
