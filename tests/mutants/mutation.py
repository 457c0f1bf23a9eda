"""The small changes of a Python file that a test should notice: one text in the place of another."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

_COMPARED: Final = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
}
_COUNTED: Final = {
    ast.Add: (r"\+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: (r"\*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
}
_SWAPPED: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
_WORD: Final = re.compile(r"[A-Za-z0-9_.,:/=-]{1,40}")  # a key, a code or a unit; what has spaces is prose


Identity = tuple[
    str, str, str, str, int
]  # file, where, the line before, the line after, the how many-th of these


class Mutant(NamedTuple):
    """`replacement` in place of the bytes `start` to `end` of the file; `where` is the function around them."""

    path: str
    where: str
    line: int
    start: int
    end: int
    replacement: str
    before: str  # the line, or the lines as one
    after: str
    nth: int = 1  # of those that read the same, where one line stands twice in a function

    @property
    def identity(self) -> Identity:
        """What a judgement names: it outlives moved lines."""
        return self.path, self.where, self.before, self.after, self.nth

    def __str__(self) -> str:
        return f"{self.path}:{self.line} in {self.where or 'the module'}\n  - {self.before}\n  + {self.after}"


def apply(source: bytes, mutant: Mutant) -> bytes:
    return source[: mutant.start] + mutant.replacement.encode() + source[mutant.end :]


def mutants_of(path: str, source: bytes) -> list[Mutant]:
    """All of them, in the order of the file. Left out is what only people or type checkers read: docstrings, messages,
    annotations, decorators, imports."""
    text = Text(path, source)
    found = _Walk(text).of(ast.parse(source))
    return counted(sorted(found, key=lambda mutant: (mutant.start, mutant.end, mutant.replacement)))


def counted(mutants: Iterable[Mutant]) -> list[Mutant]:
    """Those of a file, in its order: of those that read the same each gets its number."""
    seen: Counter[Identity] = Counter()
    told = []
    for mutant in mutants:
        seen[mutant.identity] += 1
        told.append(mutant._replace(nth=seen[mutant.identity]))
    return told


class Text:
    """A file by bytes, as `ast` counts them."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        self.source = source
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self._lines[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._lines[node.end_lineno - 1] + node.end_col_offset

    def mutant(self, where: str, start: int, end: int, replacement: str) -> Mutant:
        first = self.source.rfind(b"\n", 0, start) + 1
        last = self.source.find(b"\n", end)
        last = len(self.source) if last == -1 else last
        before = _one_line(self.source[first:last])
        after = _one_line(self.source[first:start] + replacement.encode() + self.source[end:last])
        line = self.source.count(b"\n", 0, start) + 1
        return Mutant(self.path, where, line, start, end, replacement, before, after)


class _Walk:
    def __init__(self, text: Text) -> None:
        self._text = text
        self._where: list[str] = []

    def of(self, node: ast.AST) -> Iterator[Mutant]:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                defaults = [default for default in node.args.kw_defaults if default is not None]
                yield from self._inside(node.name, [*node.args.defaults, *defaults, *node.body])
            case ast.ClassDef():
                yield from self._inside(node.name, node.body)
            case ast.AnnAssign():
                yield from self.of(node.value) if node.value is not None else ()
            case ast.Import() | ast.ImportFrom() | ast.JoinedStr() | ast.Raise():
                yield from self._whole(node)
            case ast.Expr(value=ast.Constant()):  # a docstring
                return
            case ast.Call(func=ast.Name(id="cast" | "TypeVar" | "NewType" | "assert_never")):
                return
            case _:
                yield from self._whole(node)
                for child in ast.iter_child_nodes(node):
                    yield from self.of(child)

    def _inside(self, name: str, nodes: Sequence[ast.expr | ast.stmt]) -> Iterator[Mutant]:
        self._where.append(name)
        for node in nodes:
            yield from self.of(node)
        self._where.pop()

    def _whole(self, node: ast.AST) -> Iterator[Mutant]:
        match node:
            case ast.Compare():
                yield from self._compared(node)
            case ast.BoolOp():
                word, other = (r"\band\b", "or") if isinstance(node.op, ast.And) else (r"\bor\b", "and")
                for left, right in zip(node.values, node.values[1:], strict=False):
                    yield self._between(left, right, word, other)
                yield from self._without_one(node)
            case ast.BinOp() if (
                type(node.op) in _COUNTED and not _is_text(node.left) and not _is_text(node.right)
            ):
                yield self._between(node.left, node.right, *_COUNTED[type(node.op)])
            case ast.AugAssign():
                if type(node.op) in _COUNTED:
                    sign, other = _COUNTED[type(node.op)]
                    yield self._between(node.target, node.value, sign + "=", other + "=")
                yield self._instead(node, "pass")
            case ast.UnaryOp(op=ast.Not()):
                yield self._instead(node, self._source(node.operand))
            case ast.If() | ast.While() | ast.IfExp():
                yield from self._decided(node.test)
            case ast.match_case(guard=ast.expr() as guard):
                yield from self._decided(guard)
            case ast.ExceptHandler(type=ast.Tuple() as caught):
                for left_out in caught.elts:
                    rest = [self._source(each) for each in caught.elts if each is not left_out]
                    yield self._instead(caught, f"({', '.join(rest)},)")
            case ast.comprehension():
                for test in node.ifs:
                    yield from self._decided(test)
            case ast.Constant():
                yield from self._constant(node)
            case ast.Expr() | ast.Delete() | ast.Raise():
                yield self._instead(node, "pass")
            case ast.Assign() if not all(isinstance(target, ast.Name) for target in node.targets):
                if not any(isinstance(target, ast.Tuple) for target in node.targets):
                    yield self._instead(node, "pass")
            case ast.Return() if node.value is not None and not _is_none(node.value):
                yield self._instead(node.value, "None")
            case ast.Continue():
                yield self._instead(node, "break")
            case ast.Break():
                yield self._instead(node, "continue")
            case ast.Call(func=ast.Name(id=name)) if name in _SWAPPED:
                yield self._instead(node.func, _SWAPPED[name])

    def _without_one(self, node: ast.BoolOp) -> Iterator[Mutant]:
        word = " and " if isinstance(node.op, ast.And) else " or "
        operands = [f"({self._source(operand)})" for operand in node.values]
        for left_out in range(len(operands)):
            rest = word.join(operands[:left_out] + operands[left_out + 1 :])
            yield self._instead(node, f"({rest})" if len(operands) > 2 else rest)

    def _compared(self, node: ast.Compare) -> Iterator[Mutant]:
        for left, sign, right in zip(
            [node.left, *node.comparators], node.ops, node.comparators, strict=False
        ):
            word, other = _COMPARED[type(sign)]
            yield self._between(left, right, rf"\b{word}\b" if word[0].isalpha() else word, other)

    def _decided(self, test: ast.expr) -> Iterator[Mutant]:
        if not isinstance(test, ast.Constant):
            yield self._instead(test, "True")
            yield self._instead(test, "False")

    def _constant(self, node: ast.Constant) -> Iterator[Mutant]:
        match node.value:
            case bool():
                yield self._instead(node, str(not node.value))
            case int() | float():
                yield self._instead(node, f"{node.value + 1!r}")
            case str() if _WORD.fullmatch(node.value):
                yield self._instead(node, repr(node.value + "x"))
            case bytes() if _WORD.fullmatch(node.value.decode("latin-1")):
                yield self._instead(node, repr(node.value + b"x"))

    def _between(self, left: ast.expr, right: ast.expr, sign: str, other: str) -> Mutant:
        """The operator between two operands; comments may stand there too."""
        start, end = self._text.end(left), self._text.start(right)
        between = self._text.source[start:end].decode()
        between = re.sub("#[^\n]*", lambda comment: " " * len(comment[0].encode()), between)
        found = re.search(sign, between)
        assert found is not None, (self._text.path, left.lineno, between, sign)
        return self._mutant(start + found.start(), start + found.end(), other)

    def _instead(self, node: ast.expr | ast.stmt, replacement: str) -> Mutant:
        return self._mutant(self._text.start(node), self._text.end(node), replacement)

    def _source(self, node: ast.expr) -> str:
        return self._text.source[self._text.start(node) : self._text.end(node)].decode()

    def _mutant(self, start: int, end: int, replacement: str) -> Mutant:
        return self._text.mutant(".".join(self._where), start, end, replacement)


def _one_line(text: bytes) -> str:
    return " ".join(text.decode().split())


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_text(node: ast.expr) -> bool:
    """To subtract texts is an error, and tells nothing of the tests."""
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))
    )
