"""A line of the process's log: text for people, or a JSON object for programs.

The standard library's logging carries it: aiohttp, asyncio and the Kubernetes client speak through that already, and
structlog would add a dependency for what a formatter of its own does.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from kstream.core.timeline.timepoint import timestamp
from kstream.core.visible import visible

Form = Literal["text", "json"]
Scalar = str | int | float | bool | None

FIELDS: Final = "fields"  # the attribute of a record that has them
_LONGEST: Final = 2000  # characters of one value
_LONGEST_TRACE: Final = 20_000  # and of a traceback
_PLAIN: Final = re.compile(r"[^\s\"=]+")
_SECRETS: Final = (
    (re.compile(r"(?<=://)[^/@\s?#]+@"), "…@"),  # user and password of an address
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 …"),
    (re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*){1,2}"), "…"),  # a JSON Web Token
)


def say(logger: logging.Logger, level: int, event: str, **fields: Scalar) -> None:
    """One line: `event` is what happened, in one word or two that never change; `fields` say what to whom."""
    logger.log(level, event, extra={FIELDS: fields})


def fields_of(record: logging.LogRecord) -> Mapping[str, Any]:
    """What `say` gave, and nothing for a record of another library."""
    found = getattr(record, FIELDS, None)
    return found if isinstance(found, Mapping) else {}


class Lines(logging.Formatter):
    """The formatter of either form. `always`: fields that every line has."""

    def __init__(self, form: Form, always: Mapping[str, Scalar]) -> None:
        super().__init__()
        self._form = form
        self._always = always

    def format(self, record: logging.LogRecord) -> str:
        """One line without its end; in text form a traceback follows on lines of its own."""
        event, trace = record.getMessage(), ""
        fields = {**self._always, **fields_of(record)}
        if not hasattr(record, FIELDS):
            fields["logger"] = record.name
        if record.exc_info and (error := record.exc_info[1]) is not None:
            if isinstance(error, OSError) and record.levelno < logging.CRITICAL:
                # The system said no: which call it was said to helps nobody who reads this.
                fields["error"] = str(error) or type(error).__name__
            else:
                trace = _without_secrets(self.formatException(record.exc_info))[-_LONGEST_TRACE:]
        return self.line(record.levelname.lower(), event, fields, time=record.created, trace=trace)

    def line(self, level: str, event: str, fields: Mapping[str, Any], *, time: float, trace: str = "") -> str:
        """The same of its parts; `time` in seconds since the Unix epoch."""
        values = {name: _value(value) for name, value in fields.items()}
        at, event = timestamp(time), str(_value(event))
        if self._form == "json":
            said = {"ts": at, "level": level, "event": event} | values
            return json.dumps(said | {"traceback": trace} if trace else said)
        parts = [at, level, visible(event), *(f"{name}={_text(value)}" for name, value in values.items())]
        return "\n    ".join([" ".join(parts), *map(visible, trace.splitlines())])


def _without_secrets(text: str) -> str:
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def _value(value: object) -> Scalar:
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    text = _without_secrets(str(value)[: 2 * _LONGEST])
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _text(value: Scalar) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    shown = visible(value)
    if _PLAIN.fullmatch(shown):
        return shown
    return '"' + shown.replace('"', '\\"') + '"'
