"""A CEL expression in tokens, with their places: enough to bound it and to see what it asks for, and no more."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kstream.core.errors import InvalidMessageError

MAX_LENGTH: Final = 1024  # characters of an expression
MAX_TOKENS: Final = 300
MAX_DEPTH: Final = 16  # brackets in brackets

_TOKEN: Final = re.compile(
    r"""(?P<space>[ \t\r\n\f]+|//[^\n]*)
      | (?P<text>[rRbB]{0,2}(?:"{3}(?:[^\\]|\\.)*?"{3}|'{3}(?:[^\\]|\\.)*?'{3}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
      | (?P<number>0x[0-9a-fA-F]+u?|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[uU]?|\.[0-9]+)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%!<>=?:,.()\[\]{}])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_OPEN: Final = {"(": ")", "[": "]", "{": "}"}


class Token(NamedTuple):
    """`kind`: text, number, name or sign; `at`: where it begins, the first character is 1."""

    kind: str
    text: str
    at: int

    @property
    def literal(self) -> str | None:
        """The value of a text without a prefix and an escape; None for anything else."""
        if self.kind != "text" or self.text[0] not in "\"'" or self.text[:3] in ('"""', "'''"):
            return None
        return None if "\\" in self.text else self.text[1:-1]


def wrong(text: str, at: int, why: str) -> InvalidMessageError:
    """What is wrong with an expression, at which character, with the words around it."""
    near = text[max(0, at - 11) : at + 20]
    return InvalidMessageError("That is no condition", f"where: at character {at}, near {near!r}: {why}")


def tokens(text: str) -> list[Token]:
    """Raises InvalidMessageError, which names the place, for what is too long, too deep, or not CEL."""
    if len(text) > MAX_LENGTH:
        raise wrong(text, MAX_LENGTH, f"it has {len(text)} characters; at most {MAX_LENGTH} are read")
    found: list[Token] = []
    closing: list[str] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or token.lastgroup is None:
            raise wrong(text, at + 1, f"{text[at]!r} begins nothing that CEL has")
        if token.lastgroup != "space":
            found.append(Token(token.lastgroup, token[0], at + 1))
            if token[0] in _OPEN:
                closing.append(_OPEN[token[0]])
                if len(closing) > MAX_DEPTH:
                    raise wrong(text, at + 1, f"more than {MAX_DEPTH} brackets are in each other")
            elif token[0] in _OPEN.values() and (not closing or closing.pop() != token[0]):
                raise wrong(text, at + 1, f"{token[0]!r} closes nothing")
        at = token.end()
    if closing:
        raise wrong(text, len(text), f"{closing[-1]!r} is missing")
    if len(found) > MAX_TOKENS:
        raise wrong(
            text, found[MAX_TOKENS].at, f"it has {len(found)} words and signs; at most {MAX_TOKENS} are read"
        )
    if not found:
        raise wrong(text, 1, 'it is empty; write for instance pod.status == "CrashLoopBackOff"')
    return found
