"""`kstream log redact`: a log that can be shown to others."""

from __future__ import annotations

from pathlib import Path

import click

from kstream.commands.log.reading import log_argument
from kstream.commands.log.redacting import Redacted, key_file_option, key_of, key_option
from kstream.commands.log.writing import force_option, interruptible, json_option, out_option, say, told
from kstream.logs.draft import check, draft
from kstream.logs.making import Start, make
from kstream.logs.passage import passage


@click.command()
@log_argument
@out_option
@key_option
@key_file_option
@force_option
@json_option
def redact(path: Path, out: Path, key: str | None, key_file: Path | None, force: bool, as_json: bool) -> None:
    """Make a log that tells what happened in LOG, and not to whom: names, images, labels and messages are pseudonyms.

    They cannot be led back without the key, and are the same wherever the original was. Phases, statuses, reasons,
    times, numbers and the shape of names are kept. docs/inspecting.md says what else is.
    """
    secret = key_of(key, key_file)
    check(out, force=force, inputs=[path])
    with interruptible(), passage(path) as found, draft(out, force=force, inputs=[path]) as written:
        shown = Redacted(found, secret)
        begin, count = found.start, found.status.head - found.start.seq
        objects = told(found.state(begin.seq), len(begin.refs), what="objects")
        start = Start(begin.seq, begin.time, shown.events(objects))
        made = make(written, out, shown.status, start, shown.events(told(found.events(), count)))
    say(out, made, as_json=as_json)
