"""Writes docs/rooms.md: every module and what it says of itself. A test checks that the page is current.

Run it with `python docs/make_rooms.py`, or with the others: `make generated`.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = Path(__file__).with_name("rooms.md")
TOPS = ("kstream", "simulator", "loadtest", "tests/world", "tests/mutants", "tests/fuzz")

HEAD = """# Every room

What each module says of itself, for whoever looks for the place of a change; [architecture.md](architecture.md) says
how they hang together, [CONTRIBUTING.md](../CONTRIBUTING.md) where common changes go. Made by `docs/make_rooms.py`.
"""


def page() -> str:
    """The page as it should be."""
    parts = [HEAD]
    for top in TOPS:
        folders = sorted({path.parent for path in (ROOT / top).rglob("*.py")})
        for folder in folders:
            lines = [
                f"| `{path.name}` | {said} |"
                for path in sorted(folder.glob("*.py"))
                if not path.name.startswith("test_") and (said := first_sentence(path))
            ]
            if lines:
                name = folder.relative_to(ROOT).as_posix()
                parts.append("\n".join([f"## {name}/", "", "| | |", "|---|---|", *lines]) + "\n")
    return "\n".join(parts)


def first_sentence(path: Path) -> str:
    """Of the module's docstring, in one line and fit for a table."""
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(said.partition("\n\n")[0].split())
    sentence = re.split(r"(?<=[.])\s+(?=[A-Z`])", paragraph, maxsplit=1)[0]
    return sentence.replace("|", "\\|").removesuffix(".")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
