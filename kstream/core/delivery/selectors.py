"""Label selectors, as Kubernetes writes and means them (PROTOCOL 30; labels.Parse of apimachinery).

`app=web,tier in (front,back),!canary,generation>3`: all of it has to hold. What has no such label differs from every
value (`!=`, `notin`), and is less and greater than none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from kstream.core.errors import InvalidMessageError

MAX_SELECTOR: Final = 4096  # characters that one selector may have
MAX_REQUIREMENTS: Final = 16  # each is looked at for each event of a pod
_FEW: Final = 8  # values up to which a body is searched for them before it is read

_NAME: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", re.ASCII)
_PREFIX: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_TOKEN: Final = re.compile(r"[ \t\r\n]*(==|!=|[=!<>(),]|[^ \t\r\n=!<>(),]+|\Z)", re.ASCII)
_WORD: Final = re.compile(r"[^ \t\r\n=!<>(),]+", re.ASCII)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,63}", re.ASCII)
_INT64: Final = range(-(2**63), 2**63)  # what Go reads
_EXAMPLE: Final = "write it as kubectl does: app=web,tier in (front,back),!canary"


class Operator(StrEnum):
    """How a label is compared; `=` is IN with one value, `!=` NOT_IN."""

    IN = "in"
    NOT_IN = "notin"
    EXISTS = "exists"
    ABSENT = "!"
    GREATER = ">"
    LESS = "<"


@dataclass(frozen=True, slots=True, order=True)
class Requirement:
    """One condition on one label."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()  # sorted, each once
    among: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "among", frozenset(self.values))

    def holds(self, labels: Mapping[str, str]) -> bool:
        value, operator = labels.get(self.key), self.operator
        if operator is Operator.IN:
            return value in self.among
        if operator is Operator.NOT_IN:
            return value not in self.among
        if operator is Operator.EXISTS:
            return value is not None
        if operator is Operator.ABSENT:
            return value is None
        if value is None or not _is_integer(value):
            return False
        more = int(value) - int(self.values[0])
        return more > 0 if operator is Operator.GREATER else more < 0

    def __str__(self) -> str:
        match self.operator:
            case Operator.IN | Operator.NOT_IN:
                if len(self.values) == 1:
                    sign = "=" if self.operator is Operator.IN else "!="
                    return f"{self.key}{sign}{self.values[0]}"
                return f"{self.key} {self.operator} ({','.join(self.values)})"
            case Operator.EXISTS:
                return self.key
            case Operator.ABSENT:
                return f"!{self.key}"
            case _:
                return f"{self.key}{self.operator}{self.values[0]}"


@dataclass(frozen=True, slots=True)
class Selector:
    """Requirements that all have to hold. Selectors that mean the same in other words or order are equal.

    `pairs`: a label and a value of which each object that matches has one; () where there is no such thing to say.
    """

    text: str
    requirements: tuple[Requirement, ...] = field(compare=False)
    pairs: tuple[tuple[str, str], ...] = field(compare=False)
    _signs: tuple[bytes, ...] = field(
        compare=False
    )  # bytes of which the body of an object that matches has one

    @classmethod
    def parse(cls, text: str) -> Selector | None:
        """A selector as a client wrote it; None for one without a requirement, which everything matches.

        Raises InvalidMessageError, which names the place, for what is none and for what is too long.
        """
        if len(text) > MAX_SELECTOR:
            raise _wrong(f"{len(text)} characters; at most {MAX_SELECTOR} are read")
        requirements = tuple(sorted(set(_Parser(text).requirements())))
        if not requirements:
            return None
        if len(requirements) > MAX_REQUIREMENTS:
            raise _wrong(f"{len(requirements)} requirements; ask for at most {MAX_REQUIREMENTS}")
        narrowest = min(
            (each for each in requirements if each.operator is Operator.IN),
            key=lambda each: len(each.values),
            default=None,
        )
        pairs = tuple((narrowest.key, value) for value in narrowest.values) if narrowest is not None else ()
        signs = tuple(f'"{key}":"{value}"'.encode() for key, value in pairs) if len(pairs) <= _FEW else ()
        return cls(",".join(map(str, requirements)), requirements, pairs, signs)

    def matches(self, labels: Mapping[str, str]) -> bool:
        for requirement in self.requirements:  # noqa: SIM110 - a generator takes twice as long, for each event and view
            if not requirement.holds(labels):
                return False
        return True

    def shows(self, body: bytes) -> bool:
        """Whether it matches the labels of a resource, which is compact JSON (kube/bodies.py)."""
        if self._signs and not any(sign in body for sign in self._signs):
            return False  # twenty times quicker than to read it
        return self.matches(labels_of(body))

    def __str__(self) -> str:
        return self.text


class _Labelled(msgspec.Struct, gc=False):
    labels: dict[str, str] = {}


_decode: Final = msgspec.json.Decoder(_Labelled).decode


def labels_of(body: bytes) -> Mapping[str, str]:
    """The labels of a resource; none where there is nothing that could be any, as in what says that it is gone."""
    try:
        return _decode(body).labels
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


class _Parser:
    """Reads a selector from left to right; where a key or a value is due, any word is one (so a label may be `in`)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._next = ""
        self._step()

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        if not self._next:
            return found
        while True:
            found.append(self._requirement())
            if not self._next:
                return found
            self._expect(",", "',' or the end")

    def _requirement(self) -> Requirement:
        if self._next == "!":
            self._step()
            return Requirement(self._key(), Operator.ABSENT)
        key = self._key()
        sign = self._next
        if sign in ("", ","):
            return Requirement(key, Operator.EXISTS)
        self._step()
        match sign:
            case "=" | "==":
                return Requirement(key, Operator.IN, (self._value(),))
            case "!=":
                return Requirement(key, Operator.NOT_IN, (self._value(),))
            case "in" | "notin":
                return Requirement(key, Operator(sign), self._values())
            case ">" | "<":
                bound = self._value()
                if not _is_integer(bound):
                    raise _wrong(f"{key}{sign}{bound[:80]}: a label is compared with a whole number")
                return Requirement(key, Operator(sign), (bound,))
        raise _wrong(f"{sign[:80]!r} after {key!r} is no comparison")

    def _values(self) -> tuple[str, ...]:
        self._expect("(", "'('")
        values = {self._value()}
        while self._next == ",":
            self._step()
            values.add(self._value())
        self._expect(")", "',' or ')'")
        return tuple(sorted(values))

    def _key(self) -> str:
        key = self._word()
        prefix, slash, name = key.rpartition("/")
        if _NAME.fullmatch(name) is None:
            raise _wrong(
                f"{key[:80]!r} is no label's name: 1 to 63 letters, digits, '-', '_' and '.', after a DNS name and '/'"
                " or nothing"
            )
        if slash and (_PREFIX.fullmatch(prefix) is None or len(prefix) > 253):
            raise _wrong(f"{key[:80]!r} is no label's name: what is before '/' must be a DNS name")
        return key

    def _value(self) -> str:
        if _WORD.fullmatch(self._next) is None:
            return ""  # of a label that is there and empty
        value = self._word()
        if _NAME.fullmatch(value) is None:
            raise _wrong(
                f"{value[:80]!r} is no label's value: at most 63 letters, digits, '-', '_' and '.', the first and the"
                " last of them letters or digits"
            )
        return value

    def _word(self) -> str:
        word = self._next
        if _WORD.fullmatch(word) is None:
            raise _wrong(f"{word!r} stands where a label's name is due" if word else "it ends too early")
        self._step()
        return word

    def _expect(self, sign: str, wanted: str) -> None:
        if self._next != sign:
            raise _wrong(
                f"{self._next[:80]!r} stands where {wanted} is due" if self._next else "it ends too early"
            )
        self._step()

    def _step(self) -> None:
        token = _TOKEN.match(self._text, self._at)
        assert token is not None, "whatever comes is a sign, a word or the end"
        self._at, self._next = token.end(), token[1]


def _is_integer(value: str) -> bool:
    return _INTEGER.fullmatch(value) is not None and int(value) in _INT64


def _wrong(what: str) -> InvalidMessageError:
    return InvalidMessageError("A label selector cannot be read", f"labels: {what}; {_EXAMPLE}")
