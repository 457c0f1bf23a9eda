"""`kstream log cut`: a span of a log as a log of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kstream.commands.log.reading import log_argument, point_option
from kstream.commands.log.writing import force_option, interruptible, json_option, out_option, say, span, told
from kstream.logs.draft import check, draft
from kstream.logs.making import Start, make
from kstream.logs.passage import passage


@click.command()
@log_argument
@out_option
@point_option("from", help="Those after this; all by default.")
@point_option("to", help="And up to this.")
@force_option
@json_option
def cut(path: Path, out: Path, force: bool, as_json: bool, **points: Any) -> None:
    """Make a log of the events of LOG between two moments. It begins with what there was at the first.

    Every state in it is that of LOG, under the same numbers.
    """
    check(out, force=force, inputs=[path])
    after, upto = span(path, points["from"], points["to"])
    with (
        interruptible(),
        passage(path, after=after, upto=upto) as found,
        draft(out, force=force, inputs=[path]) as written,
    ):
        begin = found.start
        objects = told(found.state(begin.seq), len(begin.refs), what="objects")
        events = told(found.events(), found.status.head - begin.seq)
        made = make(written, out, found.status, Start(begin.seq, begin.time, objects), events)
    say(out, made, as_json=as_json)
