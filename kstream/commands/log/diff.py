"""`kstream log diff`: what is different between two moments."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from kstream.commands.log.reading import log_argument, output_option, point_option, run, where
from kstream.core.timeline.difference import Difference, differences
from kstream.core.timeline.events import Kind
from kstream.core.timeline.state import ClusterState, Entry, with_pod_count
from kstream.core.visible import json_text, visible
from kstream.logs.sqlite import SqliteLog


@click.command()
@log_argument
@point_option("from", help="The beginning by default.")
@point_option("to", help="The end by default.")
@output_option
def diff(path: Path, output: str, **points: str | None) -> None:
    """Which objects of LOG came, went and changed between two moments, and in what; not what was in between."""

    async def compare(log: SqliteLog) -> list[dict[str, Any]]:
        first = await where(log, points["from"], option="from", otherwise=log.oldest - 1)
        last = await where(log, points["to"], option="to", otherwise=log.head)
        return list(_changes(await log.state_at(first.seq), await log.state_at(last.seq)))

    for change in run(path, compare):
        click.echo(json_text(change) if output == "json" else _text(change))


def _changes(before: ClusterState, after: ClusterState) -> Iterable[dict[str, Any]]:
    for kind in Kind:
        then, now = ({entry.key.uid: entry for entry in _shown(state, kind)} for state in (before, after))
        for uid in dict.fromkeys([*then, *now]):
            was, is_ = then.get(uid), now.get(uid)
            changed = differences(was.body if was else b"", is_.body if is_ else b"")
            if changed:
                yield _told(was, is_, changed)


def _shown(state: ClusterState, kind: Kind) -> Iterable[Entry]:
    """As a client is shown them: how many pods a namespace has is said of the moment."""
    for entry in state.entries(kind):
        if kind is Kind.NAMESPACE:
            count = state.pod_count(entry.key.name)
            yield Entry(entry.key, entry.version, with_pod_count(entry.body, count), entry.mark)
        else:
            yield entry


def _told(was: Entry | None, is_: Entry | None, changed: list[Difference]) -> dict[str, Any]:
    key = (is_ or was).key  # type: ignore[union-attr]  # one of them is there
    action = "ADDED" if was is None else "DELETED" if is_ is None else "MODIFIED"
    told = {
        "action": action,
        "kind": key.kind.value,
        "namespace": key.namespace,
        "name": key.name,
        "uid": key.uid,
    }
    return told | {"changes": [each._asdict() for each in changed] if action == "MODIFIED" else []}


def _text(told: dict[str, Any]) -> str:
    sign = {"ADDED": "+", "DELETED": "-", "MODIFIED": "~"}[told["action"]]
    name = f"{told['namespace']}/{told['name']}" if told["namespace"] else told["name"]
    lines = [f"{sign} {told['kind']} {name}", *(f"    {Difference(**each)}" for each in told["changes"])]
    return "\n".join(map(visible, lines))
