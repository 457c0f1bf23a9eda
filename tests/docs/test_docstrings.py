"""Docstrings give units: a time, a rate or a size means nothing without one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MEASURED = frozenset({"time", "seconds", "rate", "size", "limit", "interval", "timeout"})
UNIT = re.compile(r"second|byte|epoch|events|number|monotonic| ms\b", re.IGNORECASE)
# Overrides and protocols say it once: the port does, and its implementations are the same.
ELSEWHERE = frozenset(
    {"kstream/clock.py", "simulator/apiserver/recording.py", "simulator/apiserver/simulated.py"}
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def without_a_unit(source: str) -> Iterator[str]:
    """Public functions with a measured parameter for which no docstring around says in what it is measured."""
    module = ast.parse(source)
    classes = [node for node in ast.walk(module) if isinstance(node, ast.ClassDef)]
    scopes: list[ast.Module | ast.ClassDef] = [module, *classes]
    for scope in scopes:
        functions = [node for node in scope.body if isinstance(node, Function)]
        begun = next((ast.get_docstring(each) for each in functions if each.name == "__init__"), None)
        around = [ast.get_docstring(module), ast.get_docstring(scope), begun]
        for function in functions:
            names = {each.arg for each in (*function.args.args, *function.args.kwonlyargs)}
            told = " ".join(filter(None, [*around, ast.get_docstring(function)]))
            if not function.name.startswith("_") and names & MEASURED and not UNIT.search(told):
                yield function.name


def test_what_is_measured_has_its_unit() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for top in ("kstream", "simulator")
        for path in sorted((ROOT / top).rglob("*.py"))
        if str(path.relative_to(ROOT)) not in ELSEWHERE
        for name in without_a_unit(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_one_without_is_seen() -> None:
    source = (
        'def wait(seconds: float) -> None:\n    """{}"""\nclass A:\n    def b(self, size: int) -> None: ...\n'
    )
    assert list(without_a_unit(source.format("For so long."))) == ["wait", "b"]
    assert list(without_a_unit(source.format("For so many seconds."))) == ["b"]
