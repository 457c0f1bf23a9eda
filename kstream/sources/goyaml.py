"""YAML as kubectl reads it: bytes → the JSON value that Go's YAML makes of them.

kubectl reads with go-yaml v2, a port of libyaml: it knows the encoding by its first bytes, takes the first document and
looks at no other, leaves dates and `1:30` text, takes `yes` for true, and lets the last of two equal keys win. PyYAML's
own reading differs in each of these, so only its events are used: libyaml's, where PyYAML was built with it.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator
from typing import Any, Final, cast

import yaml
from yaml.reader import ReaderError

from kstream.documents import LARGER_BY, LARGER_TIMES, MAX_DEPTH

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD: Final = "tag:yaml.org,2002:"
_CONSTANTS: Final[dict[str, object]] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"), math.inf),
}
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGERS: Final = (
    (re.compile(r"[-+]?0[xX][0-9a-fA-F]{1,16}"), 16),
    (re.compile(r"[-+]?0[bB][01]{1,64}"), 2),
    (re.compile(r"[-+]?0[oO]?[0-7]{1,22}"), 8),
    (re.compile(r"[-+]?(0|[1-9][0-9]{0,18})"), 10),
)


def read_first(data: bytes) -> Any:
    """The first document; None when there is none. Raises yaml.YAMLError; `documents.told` says what and where.

    Mappings have text for keys, and no number is infinite: it is a JSON value.
    """
    try:
        return _Document(yaml.parse(data, Loader=_LOADER)).read()
    except ReaderError as error:
        raise yaml.YAMLError(
            f"at byte {error.position}, it has control characters, or bytes that are neither UTF-8 nor UTF-16"
        ) from None
    except UnicodeError:
        raise yaml.YAMLError("it has bytes that are neither UTF-8 nor UTF-16") from None


class _Document:
    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str, tuple[Any, int]] = {}  # the value, and how many nodes it is
        self._written = 0
        self._expanded = 0

    def read(self) -> Any:
        for event in self._events:
            if isinstance(event, yaml.StreamEndEvent):
                return None
            if isinstance(event, yaml.DocumentStartEvent):
                break
        value = self._node(next(self._events), 1)
        if self._expanded > LARGER_TIMES * self._written + LARGER_BY:
            raise yaml.YAMLError("its aliases make it far larger than it is written")
        return value

    def _node(self, event: yaml.Event, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise yaml.YAMLError(f"it is nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise _wrong("an alias refers to what is not there, or to what it is in", event)
            value, size = self._anchors[event.anchor]
            self._expanded += size
            return value
        before = self._expanded
        self._written += 1
        self._expanded += 1
        if isinstance(event, yaml.SequenceStartEvent):
            value = []
            while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
                value.append(self._node(item, depth + 1))
        elif isinstance(event, yaml.MappingStartEvent):
            value = self._mapping(depth)
        else:
            assert isinstance(event, yaml.ScalarEvent)
            value = _scalar(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._expanded - before
        return value

    def _mapping(self, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            merging = isinstance(key, yaml.ScalarEvent) and key.value == "<<" and key.implicit[0]
            name = "" if merging else self._key(key, depth)
            value = self._node(next(self._events), depth + 1)
            if merging:
                for each in reversed(value if isinstance(value, list) else [value]):
                    if not isinstance(each, dict):
                        raise _wrong("what is merged with << is no mapping", key)
                    mapping.update(each)
            else:
                mapping[name] = value
        return mapping

    def _key(self, event: yaml.Event, depth: int) -> str:
        value = self._node(event, depth + 1)
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, (str, int, float)):
            return str(value)
        raise _wrong("a key is no text", event)


def _scalar(event: yaml.ScalarEvent) -> Any:
    text, tag = event.value, event.tag
    if tag is None:
        return _plain(text, event) if event.implicit[0] else text
    kind = tag.removeprefix(_STANDARD) if tag.startswith(_STANDARD) else "str"
    if kind == "binary":
        try:
            return base64.b64decode("".join(text.split()), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise _wrong("what is called !!binary is not base64 of text", event) from None
    if kind not in _KINDS:
        return text
    value = _plain(text, event)
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not _KINDS[kind]:
        raise _wrong(f"what is called !!{kind} is none", event)
    return value


_KINDS: Final = {"int": int, "float": float, "bool": bool, "null": type(None)}


def _plain(text: str, event: yaml.Event) -> Any:
    """What text without quotes stands for."""
    value = _CONSTANTS.get(text, text)
    if value is text and text[0] in "+-.0123456789":
        value = _number(text)
    if isinstance(value, float) and not math.isfinite(value):
        raise _wrong("a number is not finite", event)
    return value


def _number(text: str) -> int | float | str:
    plain = text if text[0] == "." else text.replace("_", "")
    for pattern, base in _INTEGERS:
        if pattern.fullmatch(plain):
            digits = (
                plain.replace("0", "0o", 1) if base == 8 and plain.lstrip("+-")[1:2] not in "oO" else plain
            )
            return int(digits, base)
    number = float(plain) if _FLOAT.fullmatch(plain) else math.inf
    return number if math.isfinite(number) else text


def _wrong(problem: str, event: yaml.Event) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=cast("yaml.Mark | None", event.start_mark))
