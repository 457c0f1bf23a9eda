"""How dear a condition is of one object: the library stops for nobody until it has answered, so what would take it long
is told before it is asked.

An answer depends on the object: a loop goes round for each item, and what stands in it is handed over as a copy each
time. What could grow from step to step (lists of lists, lists made in a loop of lists made in a loop) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from kstream.core.conditions.tokens import Token, wrong
from kstream.core.timeline.events import Kind

LOOPS: Final = frozenset({"all", "exists", "exists_one", "map", "filter"})
MOST_STEPS: Final = 300_000  # of one answer; a step takes 0.1 µs: the event loop waits for no more than 50 ms
_MAKING: Final = frozenset({"map", "filter"})  # lists: what they have so far is copied in each turn
_DEEP: Final = 2  # loops in each other: each goes through a list for each item of the one around it
_GUESS: Final = 10  # items that a list has, as long as no object is known
_TURNS: Final = 400  # of all loops in each other, with that guess
_TURN: Final = 40  # steps of one turn of a loop
_ASKED, _HANDED = 300, 60  # steps: the library is asked, and given each value
_COPY: Final = 5  # steps for each value that is copied
_CONSTANTS: Final = frozenset({"true", "false", "null", "in"})
_PATTERN: Final = 100  # characters of a regular expression
_REPEATS: Final = 20  # of what it counts, all multiplied
_CLASSES: Final = 50  # of its \\w, \\pL and the like, as often as they are repeated
_WIDE: Final = 3  # classes that a character outside of ASCII is as dear as: it may end a range
_COMPILED, _LETTER, _CLASS = 3000, 60, 3000  # steps: a pattern is compiled each time
_TEXT: Final = 64  # characters of a text that are as dear as a value


class Size(NamedTuple):
    """Of what is read of an object: how many `values` there are in it, and `items` in the longest list of it."""

    values: int
    items: int


def size(value: Any) -> Size:
    """Of decoded JSON."""
    values, items, left = 0, 0, [value]
    while left:
        each = left.pop()
        values += 1
        if isinstance(each, str):
            values += len(each) // _TEXT
        elif isinstance(each, Mapping):
            items = max(items, len(each))
            left += each.values()
        elif isinstance(each, list):
            items = max(items, len(each))
            left += each
    return Size(values, items)


@dataclass(frozen=True, slots=True)
class Dearness:
    """`plain[n]` steps stand in n loops, `sized[n]` as often for each value of the object; lists are `longer` times as
    long as those of the object, and have `literal` items where they stand in the expression."""

    plain: tuple[int, ...]
    sized: tuple[int, ...]
    longer: int
    literal: int

    def of(self, object_: Size) -> int:
        """Steps of an answer about an object of that size."""
        turns = max(object_.items, self.literal, 1) * self.longer
        return (
            _ASKED
            + _HANDED * object_.values
            + sum(
                (once + each * object_.values) * int(turns**loops)
                for loops, (once, each) in enumerate(zip(self.plain, self.sized, strict=True))
            )
        )


def dearness(text: str, found: Sequence[Token]) -> Dearness:
    """Raises InvalidMessageError, which names the place, for what could be too dear of any object."""
    plain, sized = [0] * (_DEEP + 2), [0] * (_DEEP + 2)
    literal = _items(found)
    makes = any(token.text in _MAKING for token in found)
    inside: list[
        tuple[str, int]
    ] = []  # the loops around a token: what each is called, how deep its bracket is
    depth = patterns = 0
    for number, token in enumerate(found):
        if token.text in ("(", "[", "{"):
            depth += 1
            if token.text == "(" and number and found[number - 1].text in LOOPS:
                inside.append((found[number - 1].text, depth))
                _check_loop(text, found, number - 1, inside)
                if max(_GUESS, literal) ** len(inside) > _TURNS:
                    raise wrong(text, token.at, f"its loops may go round {_TURNS} times, in all")
                plain[len(inside)] += _TURN
        elif token.text in (")", "]", "}"):
            if inside and inside[-1][1] == depth:
                inside.pop()
            depth -= 1
        loops, making = len(inside), bool(inside) and inside[-1][0] in _MAKING
        if making and (token.text in ("{", "+") or (token.text == "[" and _begins_value(found[number - 1]))):
            raise wrong(text, token.at, f"no list, map or sum is made in {inside[-1][0]}")
        plain[loops] += 1
        if token.kind == "name":
            if token.text == "matches":
                pattern = _check_pattern(text, token, found[number + 1 : number + 4])
                plain[loops] += pattern
                if (patterns := patterns + pattern) > MOST_STEPS:
                    raise wrong(text, token.at, "its patterns are too dear together: let them count to less")
            elif (copies := _copies(found, number, loops, makes and not making)) is not None:
                sized[copies + making] += _COPY
    longer = 1 + sum(token.text == "+" for token in found)
    return Dearness(tuple(plain), tuple(sized), longer, literal)


def _check_loop(text: str, found: Sequence[Token], number: int, inside: Sequence[tuple[str, int]]) -> None:
    """A loop that makes a list is in no other and has no other in it, and goes through what the object has."""
    at, name = found[number].at, found[number].text
    if len(inside) > _DEEP:
        raise wrong(text, at, f"more than {_DEEP} loops are in each other")
    making = [loop for loop, _ in inside if loop in _MAKING]
    if making and len(inside) > 1:
        raise wrong(text, at, f"{making[0]} is in no other loop, and no other is in it")
    if making and not _is_path(found[:number]):
        raise wrong(text, at, f"{name} goes through a list of the object, as in pod.containers.{name}")


def _begins_value(before: Token) -> bool:
    """Whether a bracket after this is a list, and not the place of an item; `in` it makes none."""
    return before.kind == "sign" and before.text not in (")", "]", "}")


def _is_path(before: Sequence[Token]) -> bool:
    """Whether what ends here is `pod.containers.`."""
    at = len(before) - 1
    while at > 0 and before[at].text == "." and before[at - 1].kind == "name":
        if before[at - 1].text in set(Kind) and (at < 2 or before[at - 2].text != "."):
            return True
        at -= 2
    return False


def _copies(found: Sequence[Token], number: int, loops: int, made: bool) -> int | None:
    """In how many loops all that the object has is copied where this name stands; None where nothing is.

    `made`: an item may be of a list that the expression made.
    """
    following = found[number + 1].text if number + 1 < len(found) else ""
    name = found[number].text
    if name in _CONSTANTS or following == "(" or (number and found[number - 1].text == "."):
        return None
    # An item is a part of the object, and all items are the whole; but what `map` made may have the whole in each.
    return loops if name in set(Kind) or made else max(loops - 1, 0)


def _check_pattern(text: str, token: Token, call: Sequence[Token]) -> int:
    """How many steps it takes to compile. The more the more it counts."""
    if [each.text for each in call[::2]] != ["(", ")"] or call[1].kind != "text":
        raise wrong(text, token.at, "the pattern of matches must be a text that stands there")
    pattern, repeats = call[1].text, 1
    for counted in re.findall(r"\{([\d, ]*)\}", pattern, re.ASCII):
        repeats *= max([1, *(int(number[:9]) for number in re.findall(r"\d+", counted, re.ASCII))])
    # In a text that is not raw each has two of the sign.
    classes = len(re.findall(r"\\\\?", pattern)) + _WIDE * sum(not letter.isascii() for letter in pattern)
    if len(pattern) > _PATTERN or repeats > _REPEATS or repeats * classes > _CLASSES:
        raise wrong(
            text,
            call[1].at,
            f"a pattern may have {_PATTERN} characters, count to {_REPEATS} and have {_CLASSES} classes, in all",
        )
    return _COMPILED + repeats * (_LETTER * len(pattern) + _CLASS * classes)


def _items(found: Sequence[Token]) -> int:
    """How many items each list has that stands there, at most."""
    return sum(token.text == "," for token in found) + 1 if any(token.text == "[" for token in found) else 0
