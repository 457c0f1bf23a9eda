"""YAML as people write it: one document, and every way in which it can be wrong is one error.

PyYAML raises YAMLError for its syntax only: a number of 5000 digits, a 99th of a month or a text that is nested too
deep end in whatever Python has for it. And a few lines whose aliases refer to each other stand for a document of any
size.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

MAX_DEPTH: Final = 60
# A document may be so many times as large as it is written, and so many nodes larger.
LARGER_TIMES: Final = 20
LARGER_BY: Final = 1_000


def read_document(text: str) -> tuple[yaml.Node | None, Any]:
    """The nodes, which know their lines, and what they say; (None, None) for a text without a document.

    Raises yaml.YAMLError for everything that is wrong with the text; `told` says what.
    """
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            if root is None:
                return None, None
            _check(root)
            return root, loader.construct_document(root)
        finally:
            loader.dispose()
    except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError) as error:
        # Its text may have the value in it; what kind of error it was says little, and nothing secret.
        raise yaml.YAMLError(
            f"a value is not what it seems or claims to be ({type(error).__name__})"
        ) from None


def told(error: yaml.YAMLError) -> str:
    """What is wrong and where, in one line that quotes nothing of the document: it may have secrets."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem is not None:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        return " ".join(error.problem.split()) + where
    return " ".join(str(error).split())


class _Loader(yaml.SafeLoader):
    """Gives up at MAX_DEPTH, not when Python does: what is nested deeper is dear to read."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise yaml.YAMLError(f"it is nested more than {MAX_DEPTH} deep")
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _check(root: yaml.Node) -> None:
    """Raises YAMLError for a document that is too deep, much larger than it is written, or no text."""
    measured: dict[int, tuple[int, int]] = {}  # by node: how many nodes it is, and how deep
    size, depth = _measure(root, measured, set())
    if depth > MAX_DEPTH:
        raise yaml.YAMLError(f"it is nested more than {MAX_DEPTH} deep")
    if size > LARGER_TIMES * len(measured) + LARGER_BY:
        raise yaml.YAMLError("its aliases make it far larger than it is written")


def _measure(node: yaml.Node, measured: dict[int, tuple[int, int]], above: set[int]) -> tuple[int, int]:
    known = measured.get(id(node))
    if known is not None:
        return known
    if id(node) in above:
        raise yaml.MarkedYAMLError(problem="an alias refers to what it is in", problem_mark=node.start_mark)
    below: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        below = [one for pair in node.value for one in pair]
    elif isinstance(node, yaml.SequenceNode):
        below = node.value
    elif any("\ud800" <= letter <= "\udfff" for letter in node.value):
        raise yaml.MarkedYAMLError(
            problem="half of a character (a lone surrogate)", problem_mark=node.start_mark
        )
    size, depth = 1, 0
    above.add(id(node))
    for one in below:
        more, deeper = _measure(one, measured, above)
        size, depth = size + more, max(depth, deeper)
    above.discard(id(node))
    measured[id(node)] = size, depth + 1
    return measured[id(node)]
