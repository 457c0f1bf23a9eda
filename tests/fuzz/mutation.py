"""Inputs made from inputs: bytes, words, and the structure of JSON and YAML. All dice are the caller's."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

import yaml

from tests.fuzz.target import Target

MAX_SIZE: Final = {"json": 20_000, "text": 20_000, "yaml": 2_500}  # PyYAML is slow
_NUMBERS: Final = (
    "0", "-0", "-1", "1e309", "-1e309", "1e-400", "0.1", "255", "256", "65536", "2147483648", "-2147483649",
    "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e18", "9" * 400,
    "9" * 5000, "0x7f", "0o17", "1_000", "1:59:59", "NaN", "Infinity", ".nan", ".inf", "\u0663", "\u00b2",
)  # fmt: skip
_TEXTS: Final = (
    "", " ", "\0", "\ud800", "\udfff\ud800", "\u202e", "\x1b[2J", "\u2028", "\ufeff", "x" * 300, "null", "true",
    "1m30s", "1e309", "2025-01-24T10:00:00Z", "9999-12-31T23:59:59Z", "0000-00-00T00:00:00Z", "a,b", "*", "-", "é",
)  # fmt: skip
_YAML: Final = (
    "&a ", "*a", "*b", "<<: *a", "!!int ", "!!float ", "!!bool ", "!!timestamp ", "!!binary ", "!!set ", "!!omap ",
    "!!python/name:os.system ", "!x ", "? ", ": ", "- ", "--- ", "...\n", "%YAML 9.9\n", "%TAG ! x\n", "|", ">-9",
    '"\\ud800"', '"\\U00110000"', '"\\xff"', "2001-99-99", "2001-01-01", "2001-01-01T99:99:99Z", "=", "~", "\t", "#",
    "[", "]", "{", "}", "[[[[", "yes", "off", "0b2", "1:99:99", "- - - - ", "'",
)  # fmt: skip


class Mutator:
    """The same seed makes the same inputs of the same corpus."""

    def __init__(self, target: Target, corpus: Sequence[bytes], seed: int) -> None:
        self._target = target
        self._corpus = list(corpus)
        self._dice = random.Random(f"{target.name}/{seed}")
        self._ways: list[Callable[[bytes], bytes]] = [
            self._bytes,
            self._words,
            self._splice,
            self._digits,
            self._lines,
        ]
        if target.syntax != "text":
            self._ways += [self._tree] * 4
        if target.syntax == "yaml":
            self._ways += [self._marks] * 2

    def next(self) -> bytes:
        """Another input: one of the corpus, changed once to six times."""
        data = self._dice.choice(self._corpus)
        for _ in range(self._dice.choice((1, 1, 2, 3, 6))):
            data = self._dice.choice(self._ways)(data)[: MAX_SIZE[self._target.syntax]]
        return data

    def _bytes(self, data: bytes) -> bytes:
        dice, changed = self._dice, bytearray(data)
        at, end = self._span(data)
        match dice.randrange(5):
            case 0 if changed:
                changed[at % len(changed)] ^= 1 << dice.randrange(8)
            case 1:
                changed[at:at] = dice.randbytes(dice.randint(1, 8))
            case 2:
                del changed[at:end]
            case 3:
                changed[at:at] = changed[at:end] * dice.choice((1, 2, 50))
            case _:
                del changed[at:]
        return bytes(changed)

    def _words(self, data: bytes) -> bytes:
        at, end = self._span(data)
        word = self._dice.choice((*self._target.words, *_TEXTS))
        return data[:at] + word.encode("utf-8", "surrogatepass") + data[self._dice.choice((at, end)) :]

    def _splice(self, data: bytes) -> bytes:
        other = self._dice.choice(self._corpus)
        (at, _), (start, _) = self._span(data), self._span(other)
        return data[:at] + other[start:]

    def _digits(self, data: bytes) -> bytes:
        """Another number in place of one that is there."""
        places = [at for at, byte in enumerate(data) if 0x30 <= byte <= 0x39]
        if not places:
            return self._words(data)
        at = end = self._dice.choice(places)
        while end < len(data) and 0x30 <= data[end] <= 0x39:
            end += 1
        return data[:at] + self._dice.choice(_NUMBERS).encode() + data[end:]

    def _lines(self, data: bytes) -> bytes:
        lines = data.splitlines(keepends=True) or [b""]
        at = self._dice.randrange(len(lines))
        match self._dice.randrange(4):
            case 0:
                lines.insert(self._dice.randrange(len(lines) + 1), lines[at])
            case 1:
                del lines[at]
            case 2:
                lines[at] = b" " * self._dice.choice((1, 2, 4)) + lines[at]
            case _:
                lines[at] = lines[at].lstrip()
        return b"".join(lines)

    def _marks(self, data: bytes) -> bytes:
        at, _ = self._span(data)
        found = data.find(b" ", at)
        at = found + 1 if found >= 0 else at
        end = at if self._dice.random() < 0.5 else data.find(b"\n", at)
        return data[:at] + self._dice.choice(_YAML).encode() + data[max(at, end) :]

    def _tree(self, data: bytes) -> bytes:
        """A node of the document made another one, gone, or there twice."""
        tree = self._read(data)
        if tree is None:
            return self._bytes(data)
        places = list(_places([tree]))
        holder, key = self._dice.choice(places)
        match self._dice.randrange(6):
            case 0 if len(places) > 1:
                other, at = self._dice.choice(places)
                holder[key] = other[at]
            case 1:
                del holder[key]
            case 2 if isinstance(holder, dict):
                holder[self._dice.choice((*self._target.words, *_TEXTS))] = holder.pop(key)
            case 3:
                depth = self._dice.choice((3, 40, 80 if self._target.syntax == "yaml" else 2_000))
                deep = (
                    '{"a":' * depth + "0" + "}" * depth
                    if self._dice.random() < 0.5
                    else "[" * depth + "]" * depth
                )
                return self._written([tree], holder, key, deep)
            case 4:
                return self._written([tree], holder, key, self._dice.choice(_NUMBERS))
            case _:
                holder[key] = self._dice.choice((None, True, [], {}, [[]], *self._target.words, *_TEXTS))
        return self._written([tree])

    def _read(self, data: bytes) -> Any:
        if self._target.syntax == "yaml" and b"*" in data:
            return None  # aliases, which multiply when they are written out
        try:
            if self._target.syntax == "json":
                return json.loads(data)
            return yaml.load(data, Loader=yaml.BaseLoader)  # all scalars as text: nothing of ours is asked
        except (ValueError, RecursionError, yaml.YAMLError, LookupError):
            return None

    def _written(self, box: list[Any], holder: Any = None, key: Any = None, literal: str = "") -> bytes:
        """The document as JSON, which is YAML too, with `literal` as it is in the place named."""
        if holder is not None:
            holder[key] = "\x01"
        ascii_only = self._dice.random() < 0.5
        try:
            text = json.dumps(box[0], ensure_ascii=ascii_only) if box else ""
        except (ValueError, RecursionError, TypeError):
            return b"[" * 3_000
        if literal:
            text = text.replace('"\\u0001"', literal)
        return text.encode("utf-8", "surrogatepass")

    def _span(self, data: bytes) -> tuple[int, int]:
        at = self._dice.randint(0, len(data))
        return at, min(len(data), at + self._dice.choice((0, 1, 4, 30)))


def _places(box: list[Any]) -> list[tuple[Any, Any]]:
    """Every node as (what holds it, its key or index)."""
    found: list[tuple[Any, Any]] = []
    waiting: list[Any] = [box]
    seen: set[int] = set()
    while waiting:
        holder = waiting.pop()
        if id(holder) in seen:
            continue
        seen.add(id(holder))
        keys: Sequence[Any] = list(holder) if isinstance(holder, dict) else range(len(holder))
        for key in keys:
            found.append((holder, key))
            if isinstance(holder[key], dict | list):
                waiting.append(holder[key])
    return found
