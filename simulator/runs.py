"""Which run a log is of, and what was done to it by hand: what a source keeps in a log, read again and doubted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kstream.core.errors import InvalidMessageError, LogMismatchError
from kstream.core.visible import visible
from simulator.cluster import bounds
from simulator.story.actions import Action, parse_action
from simulator.story.scenario import Scenario

RUN, POSITION, ACTION = "simulation-run", "simulation", "simulation-action-"
_OPTIONS = (
    ("scenario", "--scenario"),
    ("seed", "--seed"),
    ("start", "--start"),
    ("digest", "the scenario's content (--nodes, --pods, --churn or its file)"),
)


def stamp(at: float) -> str:
    """RFC 3339, to the millisecond."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def told(scenario: Scenario, *, seed: int, start: float) -> str:
    """Which run it is, as JSON: scenario, digest of its content, seed and start."""
    return json.dumps(
        {"scenario": scenario.name, "digest": scenario.digest(), "seed": seed, "start": stamp(start)}
    )


def check(versions: Mapping[str, str], mine: str, *, empty: bool, adopt_start: bool) -> None:
    """Raises LogMismatchError when the log that these versions are from is not of the run `mine`, or cannot be."""
    text = versions.get(RUN)
    if text is None:
        if not empty:
            raise LogMismatchError(
                "The log is not of a simulation: it holds the events of a cluster; give another --log"
            )
        return
    run, expected = _mapping(RUN, text), json.loads(mine)
    for key, option in _OPTIONS:
        if run.get(key) != expected[key] and not (key == "start" and adopt_start):
            raise LogMismatchError(
                f"The log is of another run: its {key} is {visible(str(run.get(key))[:100])}, not {expected[key]}. "
                f"Give the same {option}, or another --log"
            )
    start_of(versions)
    position(versions)
    actions(versions)


def start_of(versions: Mapping[str, str]) -> float:
    """Seconds since the Unix epoch. Raises LogMismatchError."""
    text = str(_mapping(RUN, versions[RUN]).get("start"))
    try:
        start = datetime.fromisoformat(text).timestamp()
        if not bounds.EARLIEST <= start < bounds.LATEST:
            raise ValueError
    except (ValueError, OverflowError):
        raise _spoilt(RUN, f"it begins at {text:.60}") from None
    return start


def position(versions: Mapping[str, str]) -> int:
    """How many changes were handed over. Raises LogMismatchError."""
    text = versions.get(POSITION, "0")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise _spoilt(POSITION, f"{text:.60} is no number of changes")
    return int(text)


def actions(versions: Mapping[str, str]) -> list[tuple[int, Action]]:
    """What was done by hand, and when, in milliseconds since the start.

    Raises LogMismatchError for what is no action, or out of bounds.
    """
    found: list[tuple[int, Action]] = []
    while (record := versions.get(name := f"{ACTION}{len(found) + 1}")) is not None:
        if len(found) >= bounds.INJECTED:
            raise _spoilt(name, f"{bounds.INJECTED} actions is the most")
        value = _mapping(name, record)
        elapsed = value.get("elapsed")
        earliest = found[-1][0] if found else 0
        if type(elapsed) is not int or not earliest <= elapsed <= bounds.LIFE * 1000:
            raise _spoilt(name, f"elapsed: {elapsed!r:.60} is no moment after the action before")
        try:
            found.append((elapsed, parse_action(value.get("action"))))
        except InvalidMessageError as error:
            raise _spoilt(name, error.details) from None
    return found


def undoable(number: int, error: InvalidMessageError) -> LogMismatchError:
    """Action `number` (from 1) was refused when it was done again."""
    return _spoilt(f"{ACTION}{number}", f"{error}: {error.details}")


def _mapping(name: str, text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _spoilt(name, "it is no JSON object")
    return value


def _spoilt(name: str, why: str) -> LogMismatchError:
    said = "".join(letter if letter.isprintable() else "?" for letter in why)
    return LogMismatchError(
        f"The log cannot be gone on with: its {name} is nothing that this version of kstream does ({said:.500}). "
        "`kstream replay` shows what it holds; give another --log"
    )
