"""`kstream log import`: a log of what others have recorded."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click

from kstream.commands import statusline
from kstream.commands.log.reading import output_option
from kstream.config import env_option
from kstream.core.errors import ConfigError
from kstream.core.imports import audit, capture, kubectl
from kstream.core.imports.foreign import Form, Left
from kstream.core.timeline.events import WatchEvent
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.recorder import Recorder
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.timepoint import timestamp
from kstream.core.visible import json_text, visible
from kstream.logs.foreign import lines_of
from kstream.logs.whole import new_log

FORMS: Final[Mapping[str, Form]] = {
    "kubectl": kubectl.changes,
    "audit": audit.changes,
    "capture": capture.changes,
}
_AT_ONCE: Final = 1000  # changes in memory


@click.command("import")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
)
@click.argument("path", metavar="LOG", type=click.Path(dir_okay=False, path_type=Path))
@env_option("--form", required=True, type=click.Choice(list(FORMS)), help="What wrote FILE.")
@env_option("--cluster", metavar="NAME", help="What the log is of.  [default: the name of FILE]")
@output_option
def importing(files: tuple[Path, ...], path: Path, form: str, cluster: str | None, output: str) -> None:
    """Make LOG of what another program recorded; several files are one history. Each may be gzipped.

    kubectl: `kubectl get pods -A -w -o json --output-watch-events`, a file for each kind. audit: audit logs of an API
    server, with the answers to writes (level RequestResponse). capture: raw lists and watches, as in fixtures/wire.
    """
    named = cluster or files[0].name.partition(".")[0]
    try:
        told = asyncio.run(_import(files, path, form=form, cluster=named))
    except asyncio.CancelledError:
        sys.exit(128 + signal.SIGTERM)
    if output == "json":
        click.echo(json_text(told))
    else:
        click.echo("\n".join(map(visible, _lines(told))))


async def _import(files: Sequence[Path], path: Path, *, form: str, cluster: str) -> dict[str, Any]:
    _cancel_on_signals()
    left, recorder = Left(), Recorder(ClusterState())
    changes = FORMS[form]([partial(lines_of, file) for file in files], left)
    first = last = 0.0
    async with new_log(path, meta={"imported": json.dumps(form)}) as log:
        await log.identify(ClusterInfo(cluster, "unknown"))
        while batch := await asyncio.to_thread(_next, changes):
            if kept := recorder.take(batch):
                first, last = first or kept[0].time, kept[-1].time
                _progress(f"{await log.append(kept):,} events")
        _progress("")
        if not log.head:
            raise ConfigError(_nothing(form, files, left))
        head = log.head
    return {
        "log": str(path),
        "events": head,
        "unchanged": recorder.suppressed,
        "from": timestamp(first),
        "to": timestamp(last),
        "left": dict(left.counts),
        "cut": left.cut,
    }


def _cancel_on_signals() -> None:
    """As Ctrl-C: what was begun is taken away before the process ends."""
    task = asyncio.current_task()
    if task is not None and threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _next(changes: Iterator[WatchEvent]) -> list[WatchEvent]:
    return list(islice(changes, _AT_ONCE))


def _nothing(form: str, files: Sequence[Path], left: Left) -> str:
    why = "; ".join(f"{count} {what}" for what, count in left.counts.items())
    return (
        f"{', '.join(map(str, files))}: no pod, node or namespace is in it, read as --form {form}"
        f"{f' (left out: {why})' if why else ''}"
    )


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        statusline.show(text)


def _lines(told: Mapping[str, Any]) -> list[str]:
    lines = [f"{told['log']}: {told['events']} events from {told['from']} to {told['to']}"]
    if told["unchanged"]:
        lines.append(f"left out: {told['unchanged']} that change nothing that kstream shows")
    lines += [f"left out: {count} {why}" for why, count in told["left"].items()]
    lines += [f"{file}: its last line is cut off, and left out" for file in told["cut"]]
    return lines
