"""The fenced code blocks of the pages: what is read here is what a reader may copy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Final

ROOT: Final = Path(__file__).parents[2]

# Tag → the test that takes its blocks. A block with another tag fails: nobody would notice that it stopped being true.
CHECKERS: Final = {
    "dockerfile": "test_deployment.py",
    "go": "test_generated.py",
    "html": "test_javascript.py",
    "js": "test_javascript.py",
    "json": "test_json.py",
    "nginx": "test_deployment.py",
    "python": "test_python.py",
    "sh": "test_shell.py",
    "text": "test_blocks.py",
    "toml": "test_deployment.py",
    "ts": "test_javascript.py",
    "tsx": "test_javascript.py",
    "yaml": "test_yaml.py",
}

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,}) *(?P<info>[^`]*)$")


@dataclass(frozen=True)
class Block:
    page: str  # from the root of the repository
    line: int  # of its first line, from 1
    tag: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> tuple[Path, ...]:
    """Every page that a reader may open."""
    found = (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("fixtures/**/*.md"))
    return tuple(sorted(found))


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def blocks() -> tuple[Block, ...]:
    return tuple(block for page in pages() for block in read(name(page), page.read_text("utf-8")))


def of(*tags: str) -> tuple[Block, ...]:
    """The blocks with one of these tags."""
    assert set(tags) <= set(CHECKERS), f"CHECKERS does not say who takes {tags}"
    return tuple(block for block in blocks() if block.tag in tags)


def read(page: str, text: str) -> Iterator[Block]:
    """The blocks of a page. Raises ValueError for one that does not end."""
    opened: tuple[int, str, str] | None = None  # line, fence, tag
    inside: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        found = _FENCE.match(line)
        if opened is None:
            if found is not None:
                opened, inside = (number, found["fence"], found["info"].strip()), []
        elif found is not None and found["fence"].startswith(opened[1]) and not found["info"]:
            yield Block(page, opened[0] + 1, opened[2], dedent("\n".join(inside)) + "\n")
            opened = None
        else:
            inside.append(line)
    if opened is not None:
        raise ValueError(f"{page}:{opened[0]}: a block begins here and does not end")


def prose(text: str) -> str:
    """A page without its blocks; the lines keep their numbers."""
    kept, fence = [], ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if not fence and found is not None:
            fence = found["fence"]
            kept.append("")
        elif fence:
            if found is not None and found["fence"].startswith(fence) and not found["info"]:
                fence = ""
            kept.append("")
        else:
            kept.append(line)
    return "\n".join(kept)
