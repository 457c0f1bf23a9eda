"""Whether a condition is true of an object: the CEL library is asked once for all that are alike in what it reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import cel
import msgspec

from kstream.core.conditions.condition import Condition, variable
from kstream.core.conditions.dearness import MOST_STEPS, size
from kstream.core.conditions.tokens import wrong
from kstream.core.errors import InvalidMessageError

_REMEMBERED: Final = 100_000  # answers
_BYTES: Final = 4 * 2**20  # of what they are answers about
_STEPS: Final = 100_000_000  # of all its answers: some ten seconds
# What the library raises where it cannot tell: no such field, no such place in a list, a text and a number, 1 / 0.
_UNTOLD: Final = (LookupError, TypeError, ValueError, RuntimeError, ArithmeticError)


class Judge:
    """Answers by what it reads of bodies. Few of the millions of bodies of a log differ in the status of a pod."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition
        self._program = cel.compile(condition.program)
        self._answers: dict[Any, bool] = {}
        self._held = 0  # bytes
        self._reads = _reader(condition)
        self.steps = 0  # that its answers have cost
        self.undecided = 0  # answers that were an error of the expression: it is not true then
        self.why = ""  # the first of these errors

    def __call__(self, body: bytes) -> bool:
        """Of the JSON of a resource. Raises InvalidMessageError where the answer is neither true nor false, and where
        all of them together are too dear."""
        read = self._reads(body)
        answer = self._answers.get(read)
        if answer is None:
            if len(self._answers) >= _REMEMBERED or self._held > _BYTES:
                self._answers.clear()
                self._held = 0
            self._held += len(read) if isinstance(read, bytes) else sum(map(len, read))
            answer = self._answers[read] = self._judged(read)
        return answer

    def _judged(self, read: Any) -> bool:
        about, fields = variable(self._condition.about), self._condition.fields
        if fields is None:
            value = json.loads(read)
        else:
            texts = zip(sorted(fields), read, strict=True)
            value = {name: json.loads(text) for name, text in texts if text}
        found = size(value)
        steps = self._condition.cost.of(found)
        if steps > MOST_STEPS:
            return self._untold(
                f"that would take too long of an object with {found.values} values, up to {found.items} in a list"
            )
        self.steps += steps
        if self.steps > _STEPS:
            raise too_much("it is dear of one object, and there are many")
        try:
            answer = self._program.execute(cel.Context({about: value}))
        except _UNTOLD as error:
            return self._untold(f"there is no {error}" if isinstance(error, KeyError) else str(error)[:300])
        if not isinstance(answer, bool):
            text = self._condition.text
            raise wrong(text, 1, f"it is {str(answer)[:60]!r} of an object, not true or false")
        return answer

    def _untold(self, why: str) -> bool:
        self.undecided += 1
        self.why = self.why or why
        return False


def too_much(why: str) -> InvalidMessageError:
    """For an answer that would take too long."""
    return InvalidMessageError(
        "That is too much to look at",
        f"where: {why}: narrow it, or `from` and `to`, or ask for fewer (`limit`)",
    )


def _reader(condition: Condition) -> Callable[[bytes], Any]:
    """What tells bodies apart for this condition: the JSON of each field that it reads, b"" where there is none."""
    if condition.fields is None:
        return bytes
    names = sorted(condition.fields)
    seen = msgspec.defstruct("Seen", [(name, msgspec.Raw, msgspec.Raw(b"")) for name in names], gc=False)
    decode = msgspec.json.Decoder(seen).decode
    if len(names) == 1:
        (name,) = names
        return lambda body: (bytes(getattr(decode(body), name)),)

    def read(body: bytes) -> Any:
        found = decode(body)
        return tuple([bytes(getattr(found, name)) for name in names])

    return read
