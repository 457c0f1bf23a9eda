"""What survived and was looked at: judged.toml says of each why it may."""

from __future__ import annotations

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from tests.mutants.mutation import Identity, Mutant

_NAMED: Final = ("file", "where", "before", "after")
_NTH: Final = "nth"  # the how many-th of those that read the same, 1 if it is not said
FILE: Final = Path(__file__).with_name("judged.toml")


class Judgement(StrEnum):
    SAME = "same"  # no one can tell the difference: it counts neither way
    LEFT = "left"  # a difference that no test is worth: it counts as survived


def read_judgements(text: str) -> dict[Identity, Judgement]:
    """Raises ValueError for an entry without its texts, or one that stands twice."""
    judged: dict[Identity, Judgement] = {}
    for entry in tomllib.loads(text).get("mutant", []):
        if set(entry) - {_NTH} != {*_NAMED, "judged", "why"} or not entry["why"].strip():
            raise ValueError(f"{FILE.name}: not file, where, before, after, judged and why: {entry}")
        identity = _identity(entry)
        if identity in judged:
            raise ValueError(f"{FILE.name}: judged twice: {identity}")
        judged[identity] = Judgement(entry["judged"])
    return judged


def named(text: str) -> set[Identity]:
    """The mutants in a text of that form, judged or not."""
    return {_identity(entry) for entry in tomllib.loads(text).get("mutant", [])}


def _identity(entry: dict[str, Any]) -> Identity:
    return (*(entry[name] for name in _NAMED), entry.get(_NTH, 1))


def as_entry(mutant: Mutant) -> str:
    """For whoever judges it: to be put into the file, with a reason."""
    lines = [f"{name} = {_toml(text)}" for name, text in zip(_NAMED, mutant.identity[:4], strict=True)]
    lines += [f"{_NTH} = {mutant.nth}"] if mutant.nth > 1 else []
    return "\n".join(["[[mutant]]", *lines, 'judged = ""', 'why = ""', ""])


def _toml(text: str) -> str:
    return f"'{text}'" if "'" not in text else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
