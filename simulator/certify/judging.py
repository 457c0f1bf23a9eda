"""What a client must hold, and in what what it says differs from that. Pure.

What a fold does not have is not judged: a client may know nothing of faults, or of staleness.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kstream.core.visible import shortened, visible
from simulator.certify.history import Json, View, fresh

KINDS: Final = ("nodes", "pods", "namespaces")
OPTIONAL: Final = ("seq", "stale", "podCounts", "error", "faults", "asOf", "metrics")
_NEEDED: Final = {
    "nodes": ("name", "uid", "status"),
    "pods": ("name", "uid", "namespace", "status", "phase"),
    "namespaces": ("name", "uid", "status"),
}
_COUNTED: Final = "podCount"  # of a namespace: a client counts itself, and a server tells it now and then
_MOST: Final = 12  # differences that are told
_LINE: Final = 400  # characters of each: names and uids are as long as somebody makes them
_VALUE: Final = 100  # characters of a value


@dataclass
class Expected:
    """`None` of `stale`, `error_shown` and `seq_known`: either is right, or nobody can know."""

    view: View = field(default_factory=fresh)
    seq: int | None = None
    seq_judged: bool = True
    stale: bool | None = True
    may_be_empty: bool = True  # what is stale may be cleared, though dimming it serves a reader better
    error_shown: bool | None = False  # to the user, that the server cannot be reached
    faults: tuple[str, ...] | None = None
    as_of: str | None = None
    metrics: Json | None = None

    @property
    def pod_counts(self) -> dict[str, int]:
        """Of the pods that are held, by namespace (PROTOCOL 5)."""
        counts: dict[str, int] = {}
        for pod in self.view["pods"].values():
            counts[pod["namespace"]] = counts.get(pod["namespace"], 0) + 1
        return counts


def differences(fold: Mapping[str, Any], expected: Expected) -> list[str]:
    """A line for each; none where the fold is right. At most a dozen, each of bounded length."""
    found = list(_differences(fold, expected))
    more = [f"… and {len(found) - _MOST} more"] if len(found) > _MOST else []
    return [visible(shortened(line, _LINE)) for line in found[:_MOST]] + more


def _differences(fold: Mapping[str, Any], expected: Expected) -> Iterator[str]:
    lists = {kind: fold.get(kind) for kind in KINDS}
    for kind, listed in lists.items():
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            yield f"{kind}: must be a list of objects, not {_value(listed)}"
            return
    if not (expected.may_be_empty and not any(lists.values())):
        for kind in KINDS:
            yield from _of_kind(kind, lists[kind] or [], expected.view[kind])
        if "podCounts" in fold:
            counts = fold["podCounts"] if isinstance(fold["podCounts"], dict) else {}
            names = {*counts, *(space["name"] for space in expected.view["namespaces"].values())}
            due = {name: expected.pod_counts.get(name, 0) for name in sorted(names)}
            yield from _unequal("podCounts", {name: counts.get(name, 0) for name in due}, due)
    if "seq" in fold and expected.seq_judged:
        yield from _unequal("seq", fold["seq"], expected.seq)
    if "stale" in fold and expected.stale is not None:
        yield from _unequal("stale", fold["stale"], expected.stale)
    if "error" in fold and expected.error_shown is not None and bool(fold["error"]) != expected.error_shown:
        wanted = "what the user is told" if expected.error_shown else "nothing: it is too early, or over"
        yield f"error: expected {wanted}, it has {_value(fold['error'])}"
    if "faults" in fold and expected.faults is not None:
        told = fold["faults"] if isinstance(fold["faults"], list) else [fold["faults"]]
        yield from _unequal("faults", sorted(map(str, told)), sorted(expected.faults))
    if "asOf" in fold:
        yield from _unequal("asOf", fold["asOf"], expected.as_of)
    if "metrics" in fold:
        yield from _unequal("metrics", fold["metrics"], expected.metrics)


def _of_kind(kind: str, listed: list[Json], wanted: Mapping[str, Json]) -> Iterator[str]:
    held = {str(each.get("uid")): each for each in listed}
    if len(held) != len(listed):
        yield f"{kind}: {len(listed) - len(held)} of them are there twice, or have no uid"
    for uid, body in wanted.items():
        there = held.pop(uid, None)
        if there is None:
            yield f"{kind}: {body['name']} ({uid}) is missing"
            continue
        for name in {**dict.fromkeys(_NEEDED[kind]), **there}:
            if name == _COUNTED:
                continue
            if name not in there:
                yield f"{kind}: {body['name']} ({uid}) has no {name}"
            elif name not in body or there[name] != body[name]:
                sent = _value(body[name]) if name in body else "nothing"
                yield f"{kind}: {body['name']} ({uid}): {name} is {_value(there[name])}, sent was {sent}"
    for uid, there in held.items():
        yield f"{kind}: {_value(there.get('name'))} ({uid}) is held, and is not there"


def _unequal(name: str, held: Any, wanted: Any) -> Iterator[str]:
    if held != wanted or isinstance(held, bool) != isinstance(wanted, bool):
        yield f"{name}: expected {_value(wanted)}, it has {_value(held)}"


def _value(value: Any) -> str:
    return shortened(repr(value), _VALUE)
