"""`kstream log page`: a span of a log as one HTML file that replays it, with no server and no network."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from kstream.commands.log.reading import log_argument, moments, point_option, run
from kstream.commands.log.redacting import (
    REDACTED,
    Redacted,
    key_file_option,
    key_of,
    key_option,
    no_resource,
)
from kstream.commands.log.writing import force_option, interruptible, json_option, out_option, say, told
from kstream.config import env_option
from kstream.core.errors import UsageError
from kstream.core.timeline.columns import Columns
from kstream.core.timeline.events import Event
from kstream.logs.draft import check, draft
from kstream.logs.making import Made
from kstream.logs.passage import Passage, passage
from kstream.web.onefile import STATIC, one_file

MOST_BYTES: Final = 50_000_000  # of a page: a browser takes no more at once without standing still
MOST_EVENTS: Final = 1_000_000  # and objects: a browser reads 40,000 a second, or more
_SHORTER: Final = "give a shorter span with --from and --to"


@click.command()
@log_argument
@out_option
@point_option("from", help="Where it begins; the beginning by default.")
@point_option("to", help="And where it ends.")
@env_option(
    "--redact", "redacted", is_flag=True, help="Under pseudonyms, as `kstream log redact` makes them."
)
@key_option
@key_file_option
@force_option
@json_option
def page(
    path: Path,
    out: Path,
    redacted: bool,
    key: str | None,
    key_file: Path | None,
    force: bool,
    as_json: bool,
    **points: Any,
) -> None:
    """Make an HTML file that replays a span of LOG where it is opened: by a double click, with no server or network.

    In it are the page, what there was at --from, and every event up to --to. docs/replay.md says how it is played.
    """
    if not redacted and (key is not None or key_file is not None):
        raise UsageError(
            f"--key{'' if key is not None else '-file'} is for --redact, which is not given: the page would tell all"
            " names; give --redact too"
        )
    secret = key_of(key, key_file) if redacted else None
    check(out, force=force, inputs=[path])
    first, last = run(path, lambda log: moments(log, points["from"], points["to"]))
    with (
        interruptible(),
        passage(path, after=first[0], upto=last[0]) as found,
        draft(out, force=force, inputs=[path], log=False) as written,
    ):
        made, recording = _recorded(found, first, last, secret)
        content = one_file(STATIC, gzip.compress(recording, 9, mtime=0))
        if len(content) > MOST_BYTES:
            raise UsageError(
                f"{out}: the page would have {len(content):,} bytes, of which browsers take {MOST_BYTES:,}; {_SHORTER}"
            )
        written.write_bytes(content)
    say(out, made, as_json=as_json)


def _recorded(
    found: Passage, first: tuple[int, float], last: tuple[int, float], key: bytes | None
) -> tuple[Made, bytes]:
    """What is in the page. Raises UsageError for what is nothing, or too much; LogError."""
    count, objects = last[0] - first[0], len(found.start.refs)
    if not count and not objects:
        raise UsageError(f"{found.path}: nothing is recorded in that span: there is nothing to replay")
    if count + objects > MOST_EVENTS:
        raise UsageError(
            f"{found.path}: {count:,} events after a state of {objects:,} objects are more than a browser takes at once"
            f" ({MOST_EVENTS:,}); {_SHORTER}"
        )
    shown = Redacted(found, key) if key is not None else None
    status = found.status if shown is None else shown.status

    def as_shown(events: Iterable[Event]) -> Iterable[Event]:
        return events if shown is None else shown.events(events)

    columns = Columns(base=int(first[1]))
    begin = as_shown(told(found.state(first[0]), objects, what="objects"))
    _each(found.path, begin, columns.begin)
    _each(found.path, as_shown(told(found.events(), count)), columns.take)
    recording = columns.encoded(
        epoch=status.epoch,
        cluster=status.cluster,
        terms=status.terms,
        redacted=status.meta.get(REDACTED) == json.dumps(True),
        start=first,
        end=last,
    )
    return Made(objects, first[0] + 1, last[0]), recording


def _each(path: Path, events: Iterable[Event], take: Callable[[Event], None]) -> None:
    for event in events:
        try:
            take(event)
        except (msgspec.DecodeError, ValueError, KeyError, RecursionError) as error:
            raise no_resource(path, event, error) from error
