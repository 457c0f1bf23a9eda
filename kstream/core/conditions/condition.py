"""A condition on an object, in CEL: what it is about, what it reads, how dear it is, and what SQLite can tell of it.

Whether it is true is the library's to say (`judging`): what stands here only leaves out what cannot be true.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cel

from kstream.core.conditions.dearness import LOOPS, Dearness, dearness
from kstream.core.conditions.tokens import Token, tokens, wrong
from kstream.core.timeline.events import Kind
from kstream.core.timeline.narrow import Narrow
from kstream.core.timeline.wellness import is_bad

FIELDS: Final = {
    Kind.POD: (
        *("name", "uid", "namespace", "nodeName", "phase", "status"),
        *("containers", "labels", "creationTimestamp", "owner"),
    ),
    Kind.NODE: ("name", "uid", "status", "role", "capacity", "conditions", "labels", "creationTimestamp"),
    Kind.NAMESPACE: ("name", "uid", "status", "podCount"),
}
"""What each kind has (docs/resources.md)."""

_FUNCTIONS: Final = frozenset(
    {
        *("size", "has", "contains", "startsWith", "endsWith", "matches"),
        *("int", "uint", "double", "string", "bool", "bytes", "type", "dyn", "timestamp", "duration"),
        *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
        *("getHours", "getMinutes", "getSeconds", "getMilliseconds"),
    }
)
_CONSTANTS: Final = frozenset(
    {
        "true",
        "false",
        "null",
        "in",
        "int",
        "uint",
        "double",
        "string",
        "bool",
        "bytes",
        "list",
        "map",
        "type",
        "null_type",
    }
)
_OTHERWISE: Final = {"=": "==", "and": "&&", "or": "||", "not": "!"}
"""What other languages have, and how CEL writes it."""
_TEXTS: Final = 16  # for which each body is searched
_PLAIN: Final = re.compile(r"[ !#-\[\]-~]*", re.ASCII)  # stands in JSON as it is
_NOTHING: Final = Token("", "", 0)
_SYNTAX: Final = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)")


@dataclass(frozen=True, slots=True)
class Condition:
    """`about`: the kind of object; `fields`: those that it reads, None for all; `cost`: of one answer.

    `narrow`: what is true of an event's object whenever it is; `only_bad`: it is never true of one that is well.
    """

    text: str
    program: str  # the same for the library, to which `namespace` is a reserved word
    about: Kind
    fields: frozenset[str] | None
    cost: Dearness
    narrow: Narrow
    only_bad: bool

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Raises InvalidMessageError, which names the place, for what is no condition, and for what is too dear."""
        found = tokens(text)
        program = _program(text, found)
        _check_spelling(text, found)
        _check_syntax(text, program)
        _check_functions(text, found)
        about = _about(text, found)
        _check_names(text, about, found)
        narrow, only_bad = _narrowed(about, found)
        cost = dearness(text, found)
        _check_patterns(text, found)
        return cls(text, program, about, _fields(text, about, found), cost, narrow, only_bad)


def variable(kind: Kind) -> str:
    """What the library calls it. As long as the word that people write: places stay what they are."""
    return "Namespace" if kind is Kind.NAMESPACE else kind.value


def _program(text: str, found: Sequence[Token]) -> str:
    for number, kind in _roots(found):
        at = found[number].at - 1
        text = text[:at] + variable(kind) + text[at + len(kind.value) :]
    return text


def _check_spelling(text: str, found: Sequence[Token]) -> None:
    for number, token in enumerate(found):
        if token.text in _OTHERWISE and (number == 0 or found[number - 1].text != "."):
            raise wrong(text, token.at, f"CEL writes {_OTHERWISE[token.text]} for {token.text!r}")


def _check_syntax(text: str, program: str) -> None:
    try:
        cel.compile(program)
    except (ValueError, RuntimeError) as error:
        place = _SYNTAX.search(str(error))
        if place is None:
            raise wrong(text, 1, str(error).partition("\n")[0][:200]) from None
        before = text.split("\n")[: int(place[1]) - 1]
        at = sum(len(line) + 1 for line in before) + int(place[2])
        raise wrong(text, at, place[3][:120]) from None


def _check_functions(text: str, found: Sequence[Token]) -> None:
    for token, following in pairwise(found):
        if token.kind == "name" and following.text == "(" and token.text not in _FUNCTIONS | LOOPS:
            raise wrong(text, token.at, f"there is no function {token.text!r}")


def _check_names(text: str, about: Kind, found: Sequence[Token]) -> None:
    """A word that stands for nothing, such as a text without its quotes, could not be told of any object."""
    loops, depth = list[tuple[int, str]](), 0
    for (before, token), (_, following) in pairwise(pairwise((_NOTHING, *found, _NOTHING))):
        if token.kind == "sign" and token.text in "([{":
            depth += 1
            if token.text == "(" and before.text in LOOPS:
                loops.append((depth, following.text))
        elif token.kind == "sign" and token.text in ")]}":
            loops = [each for each in loops if each[0] < depth]
            depth -= 1
        elif token.kind == "name" and before.text != "." and following.text != "(":
            known = token.text in set(Kind) | _CONSTANTS or any(token.text == name for _, name in loops)
            if not known:
                meant = f"{about.value}.{token.text}, or " if token.text in FIELDS[about] else ""
                raise wrong(text, token.at, f'nothing is called {token.text!r}; write {meant}"{token.text}"')


def _check_patterns(text: str, found: Sequence[Token]) -> None:
    """What is no regular expression is none of any object. Once it is known that compiling it takes no time."""
    for name, following in zip(found, found[2:], strict=False):
        if name.kind == "name" and name.text == "matches":
            try:
                cel.compile(f'"".matches({following.text})').execute(cel.Context({}))
            except (ValueError, RuntimeError) as error:
                why = str(error).rpartition("\nerror: ")[2].partition(". Check function")[0]
                raise wrong(text, following.at, f"it is no regular expression: {why[:120]}") from None


def _roots(found: Sequence[Token]) -> list[tuple[int, Kind]]:
    """Where a variable stands, and of which kind it is."""
    return [
        (number, Kind(token.text))
        for number, token in enumerate(found)
        if token.kind == "name" and token.text in set(Kind) and (number == 0 or found[number - 1].text != ".")
    ]


def _about(text: str, found: Sequence[Token]) -> Kind:
    roots = _roots(found)
    if not roots:
        raise wrong(text, 1, "it names none of pod, node and namespace")
    for number, kind in roots:
        if kind is not roots[0][1]:
            raise wrong(
                text,
                found[number].at,
                f"it is about {roots[0][1].value} already; a condition is about one kind",
            )
    return roots[0][1]


def _fields(text: str, about: Kind, found: Sequence[Token]) -> frozenset[str] | None:
    fields: set[str] = set()
    for number, _ in _roots(found):
        match [each.text for each in found[number + 1 : number + 3]]:
            case [".", field] if found[number + 2].kind == "name":
                if field not in FIELDS[about]:
                    raise wrong(
                        text,
                        found[number + 2].at,
                        f"a {about.value} has {', '.join(FIELDS[about])}; no {field!r}",
                    )
                fields.add(field)
            case _:  # the whole of it, or a field that is only known when it is asked for
                return None
    return frozenset(fields)


def _narrowed(about: Kind, found: Sequence[Token]) -> tuple[Narrow, bool]:
    narrow, only_bad = Narrow(kinds=frozenset((about,))), False
    for part in _parts(found):
        place, values = _compared(about, part)
        wanted = frozenset(values)
        if place == ("namespace",) and about is Kind.POD and narrow.namespaces is None:
            narrow = narrow._replace(namespaces=wanted)
        elif place == ("name",) and narrow.names is None:
            narrow = narrow._replace(names=wanted)
        elif place == ("uid",) and narrow.uids is None:
            narrow = narrow._replace(uids=wanted)
        elif place and all(map(_PLAIN.fullmatch, (*place, *wanted))):
            if place == ("status",):
                only_bad = only_bad or all(map(is_bad, wanted))
            if (
                narrow.texts is None
                and len(wanted) <= _TEXTS
                and place[0] in ("status", "phase", "nodeName", "labels")
            ):
                narrow = narrow._replace(texts=frozenset(f'"{place[-1]}":"{value}"' for value in wanted))
    return narrow, only_bad


def _parts(found: Sequence[Token]) -> list[Sequence[Token]]:
    """What all has to be true, if that can be seen: the parts between `&&`, outside of brackets."""
    parts: list[Sequence[Token]] = []
    depth = start = 0
    for number, token in enumerate(found):
        if token.kind != "sign":
            continue
        depth += (token.text in "([{") - (token.text in ")]}")
        if depth == 0 and token.text in ("||", "?", ":"):
            return []
        if depth == 0 and token.text == "&&":
            parts.append(found[start:number])
            start = number + 1
    return [*parts, found[start:]]


def _compared(about: Kind, part: Sequence[Token]) -> tuple[tuple[str, ...], Sequence[str]]:
    """The field and the values of `pod.status == "a"`, `"a" == pod.status`, `pod.labels["b"] in ["a", "c"]`."""
    nothing: tuple[tuple[str, ...], Sequence[str]] = ((), ())
    for number, token in enumerate(part):
        if token.text == "==":
            left, right = part[:number], part[number + 1 :]
            if len(left) == 1:
                left, right = right, left
            if len(right) != 1 or right[0].literal is None:
                return nothing
            return _path(about, left), [right[0].literal]
        if token.text == "in" and token.kind == "name":
            items = part[number + 2 : -1 : 2]
            values = [each.literal for each in items if each.literal is not None]
            signs = [each.text for each in part[number + 1 :: 2]]
            if signs != ["[", *[","] * (len(items) - 1), "]"] or len(values) != len(items):
                return nothing
            return _path(about, part[:number]), values
    return nothing


def _path(about: Kind, part: Sequence[Token]) -> tuple[str, ...]:
    """("status",) of `pod.status`, ("labels", "app") of `pod.labels.app` or `pod.labels["app"]`, () of all else."""
    match [each.text for each in part]:
        case [root, ".", field] if root == about and part[2].kind == "name":
            return (field,)
        case [root, ".", "labels", ".", label] if root == about:
            return ("labels", label)
        case [root, ".", "labels", "[", _, "]"] if root == about and part[4].literal is not None:
            return ("labels", part[4].literal)
    return ()
