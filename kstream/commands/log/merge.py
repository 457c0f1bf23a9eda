"""`kstream log merge`: logs of one history as one."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import click

from kstream.commands.log.writing import force_option, interruptible, json_option, out_option, say, told
from kstream.logs.draft import check, draft
from kstream.logs.making import make
from kstream.logs.merging import merged


@click.command()
@click.argument(
    "paths", metavar="LOG...", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path)
)
@out_option
@force_option
@json_option
def merge(paths: tuple[Path, ...], out: Path, force: bool, as_json: bool) -> None:
    """Make one log of several that overlap or follow each other: cut, trimmed or copied from one history.

    What two of them hold must be the same, and nothing may be missing between them; exit code 6 otherwise.
    """
    check(out, force=force, inputs=paths)
    with interruptible(), merged(paths) as found, draft(out, force=force, inputs=paths) as written:
        deque(told(found.check(), found.compared, what="events compared"), maxlen=0)
        start, status = found.start(), found.status
        start = start._replace(objects=told(start.objects, found.objects, what="objects"))
        made = make(written, out, status, start, told(found.events(), status.head - start.seq))
    say(out, made, as_json=as_json)
