"""`kstream log diff`: what is different between two moments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from kstream.commands.log.reading import (
    SIGNS,
    key_as_json,
    log_argument,
    name_of,
    output_option,
    point_option,
    run,
    where,
)
from kstream.core.timeline.difference import Difference, differences
from kstream.core.timeline.events import Kind, ObjectKey, Verb
from kstream.core.timeline.state import ClusterState, Entry, with_pod_count
from kstream.core.visible import json_text, visible
from kstream.logs.sqlite import SqliteLog


class _Change(NamedTuple):
    verb: Verb
    key: ObjectKey
    changes: Sequence[Difference]  # of what was there and is


@click.command()
@log_argument
@point_option("from", help="The beginning by default.")
@point_option("to", help="The end by default.")
@output_option
def diff(path: Path, output: str, **points: str | None) -> None:
    """Which objects of LOG came, went and changed between two moments, and in what; not what was in between."""

    async def compare(log: SqliteLog) -> list[_Change]:
        first = await where(log, points["from"], option="from", otherwise=log.oldest - 1)
        last = await where(log, points["to"], option="to", otherwise=log.head)
        return list(_changes(await log.state_at(first.seq), await log.state_at(last.seq)))

    for change in run(path, compare):
        click.echo(json_text(_as_json(change)) if output == "json" else _text(change))


def _changes(before: ClusterState, after: ClusterState) -> Iterable[_Change]:
    for kind in Kind:
        then, now = ({entry.key.uid: entry for entry in _shown(state, kind)} for state in (before, after))
        for uid, entry in (then | now).items():
            if uid not in then or uid not in now:
                yield _Change(Verb.DELETED if uid in then else Verb.ADDED, entry.key, ())
            elif changed := differences(then[uid].body, entry.body):
                yield _Change(Verb.MODIFIED, entry.key, changed)


def _shown(state: ClusterState, kind: Kind) -> Iterable[Entry]:
    """As a client is shown them: how many pods a namespace has is said of the moment."""
    for entry in state.entries(kind):
        if kind is Kind.NAMESPACE:
            count = state.pod_count(entry.key.name)
            yield Entry(entry.key, entry.version, with_pod_count(entry.body, count), entry.mark)
        else:
            yield entry


def _as_json(change: _Change) -> dict[str, Any]:
    changes = [each._asdict() for each in change.changes]
    return {"action": change.verb.value, **key_as_json(change.key), "changes": changes}


def _text(change: _Change) -> str:
    lines = [f"{SIGNS[change.verb]} {change.key.kind.value} {name_of(change.key)}"]
    return "\n".join(map(visible, [*lines, *(f"    {each}" for each in change.changes)]))
