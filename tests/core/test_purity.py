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
        *(
            "importlib",
            "cel",
            "msgspec",
            "pydantic",
            "pydantic_core",
            "kstream",
        ),  # importlib: whether a faster deflate is installed
    }
)
"""What the core may import; import-linter holds which rooms of kstream."""

_NOT_PURE = frozenset(
    {"open", "input", "print", "exec", "eval", "__import__", "breakpoint", "globals", "vars"}
)
"""What no expression may name, called or not."""

_NOT_PURE_ATTRIBUTES = frozenset(
    {
        *("now", "utcnow", "today", "time", "monotonic", "urandom", "stdout", "stderr", "stdin", "environ"),
        *("import_module", "__import__", "resources", "read_text", "write_text", "read_bytes", "write_bytes"),
    }
)
"""What nothing that is imported may be asked for, called or not: `datetime.datetime.now`, `dataclasses.sys.stdout`."""

_INSTALLED = "core/delivery/deflate.py"
"""The one module that looks which library is installed."""


def reached(source: str) -> set[str]:
    """What reaches outside, by name."""
    tree = ast.parse(source)
    modules = {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) if name in _NOT_PURE:
                found.add(name)
            case ast.Attribute(attr=name) if name in _NOT_PURE_ATTRIBUTES and _root(node) in modules:
                found.add(ast.unparse(node))
            case ast.Call(func=ast.Attribute(attr="fromtimestamp"), args=[_], keywords=[]):
                found.add(ast.unparse(node.func))  # without a zone it is that of the machine
            case ast.ImportFrom(module=str(module), level=0, names=names) if not module.startswith(
                "kstream."
            ):
                found |= {f"{module}.{alias.name}" for alias in names if alias.name in _NOT_PURE_ATTRIBUTES}
            case _:
                pass
    return found


def _root(node: ast.expr) -> str:
    """The name that an attribute is in the end looked up from."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


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
        ("o = open", {"open"}),
        ("from datetime import datetime\ndatetime.now(UTC)", {"datetime.now"}),
        ("import datetime\nf = datetime.datetime.now", {"datetime.datetime.now"}),
        ("from datetime import datetime\nfield(default_factory=datetime.now)", {"datetime.now"}),
        ("from datetime import datetime as d\nd.fromtimestamp(0.0)", {"d.fromtimestamp"}),
        ("from datetime import datetime as d\nd.fromtimestamp(0.0, UTC)", set()),
        ("import importlib\nimportlib.import_module('time')", {"importlib.import_module"}),
        ("from importlib import import_module", {"importlib.import_module"}),
        ("import importlib\nimportlib.__import__('x')", {"importlib.__import__"}),
        ("import dataclasses\ndataclasses.sys.stdout", {"dataclasses.sys.stdout"}),
        ("event.time + self.now + now.time", set()),
    ],
)
def test_what_reaches_outside_is_seen(source: str, names: set[str]) -> None:
    assert reached(source) == names


@pytest.mark.parametrize("module", _MODULES, ids=lambda module: str(module.relative_to(_CORE)))
def test_nothing_in_the_core_reaches_outside(module: Path) -> None:
    source = module.read_text()
    assert reached(source) == ({"importlib.import_module"} if str(module).endswith(_INSTALLED) else set())
    assert imported(source) <= _ALLOWED
