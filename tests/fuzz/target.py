"""A parser as the fuzzer sees it: bytes in, nothing out, and only the errors that it documents."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, Literal

from kstream.core.errors import InvalidMessageError, KstreamError


@dataclass(frozen=True, kw_only=True)
class Target:
    """`run` feeds a parser, and asserts what is promised about the values and errors that come out of it."""

    name: str
    run: Callable[[bytes], None]
    syntax: Literal["json", "yaml", "text"]
    raises: type[KstreamError] | None  # its documented error; None where nothing may be raised
    words: tuple[str, ...]  # that mean something to the parser, for the mutator
    executions: int  # of mutated inputs in the tests
    steps: int = 2_000  # calls that a parser may make for each byte, and a hundred times that on top

    @property
    def documented(self) -> tuple[type[KstreamError], ...]:
        return () if self.raises is None else (self.raises,)


class EndlessError(BaseException):
    """The parser does more than its input allows. Not an Exception, so that no parser catches it."""


def execute(target: Target, data: bytes) -> None:
    """Run the target once; whatever it raises but its documented error is a finding.

    Work is counted in calls, of Python and of C, so that a bound holds on any machine.
    """
    left = target.steps * (len(data) + 100)

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise EndlessError(f"more than {target.steps} calls for each of {len(data)} bytes")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        target.run(data)
    except target.documented as told:
        sys.setprofile(before)
        _check_message(told, len(data))
    finally:
        sys.setprofile(before)


def _check_message(told: KstreamError, size: int) -> None:
    """A person reads it and clients get it: text that can be encoded, and no longer than what was given explains."""
    message = str(told)
    if isinstance(told, InvalidMessageError):
        message += told.details
    message.encode()
    assert len(message) <= 100 * size + 2_000, f"a message of {len(message)} characters about {size} bytes"
