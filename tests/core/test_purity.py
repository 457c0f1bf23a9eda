"""The core knows no clock, no chance, no file and no socket: it is handed what it needs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import kstream.core

_CORE = Path(kstream.core.__file__).parent
_MODULES = sorted(_CORE.rglob("*.py"))

_ALLOWED = frozenset(
    {
        *(
            "__future__",
            "array",
            "bisect",
            "collections",
            "dataclasses",
            "datetime",
            "enum",
            "functools",
            "heapq",
        ),
        *("ipaddress", "itertools", "json", "math", "operator", "re", "string", "struct", "typing", "zlib"),
        *("importlib", "msgspec", "pydantic", "kstream"),  # importlib: whether a faster deflate is installed
    }
)
"""What the core may import; import-linter holds which rooms of kstream."""

_NOT_PURE = {"open", "input", "print", "exec", "eval", "__import__"}
_NOT_PURE_METHODS = {
    "now",
    "utcnow",
    "today",
    "time",
    "monotonic",
    "urandom",
    "import_module",
    "read_text",
    "write_text",
}


def called(source: str) -> set[str]:
    """What reaches outside, by name."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=name) if name in _NOT_PURE:
                found.add(name)
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if name in _NOT_PURE_METHODS:
                found.add(f"{owner}.{name}")
    return found


def imported(source: str) -> set[str]:
    """The packages that it imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str(module), level=0):
                found.add(module.partition(".")[0])
    return found


def test_what_is_imported_is_seen_wherever_it_is_written() -> None:
    source = "import os.path as p, uuid\ndef f():\n    from http import client\nfrom . import sibling"
    assert imported(source) == {"os", "uuid", "http"}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("open('x')", {"open"}),
        ("datetime.now(UTC)", {"datetime.now"}),
        ("from x import now\nnow.later()", set()),
        ("importlib.import_module('time')", {"importlib.import_module"}),
    ],
)
def test_what_reaches_outside_is_seen(source: str, names: set[str]) -> None:
    assert called(source) == names


@pytest.mark.parametrize("module", _MODULES, ids=lambda module: str(module.relative_to(_CORE)))
def test_nothing_in_the_core_reaches_outside(module: Path) -> None:
    source = module.read_text()
    assert called(source) == set()
    assert imported(source) <= _ALLOWED
