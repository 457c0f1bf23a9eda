"""`kstream log redact`: a log that can be shown to others."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import click
import msgspec

from kstream.commands.log.reading import log_argument
from kstream.commands.log.writing import force_option, interruptible, json_option, out_option, say, told
from kstream.config import env_option
from kstream.core.errors import ConfigError, LogFormatError, UsageError
from kstream.core.kube.pseudonyms import Pseudonyms
from kstream.core.kube.redaction import Redaction
from kstream.core.timeline.events import Event
from kstream.core.timeline.terms import Term
from kstream.logs.draft import check, draft
from kstream.logs.making import Start, make
from kstream.logs.passage import passage
from kstream.logs.reading import Status

_SHORTEST: Final = 16  # bytes of a key: a shorter one could be guessed
_LONGEST: Final = 1 << 20  # bytes of its file


@click.command()
@log_argument
@out_option
@env_option(
    "--key", metavar="KEY", help="The same key makes the same pseudonyms.  [default: a random one, not kept]"
)
@env_option(
    "--key-file", type=click.Path(dir_okay=False, path_type=Path), help="The file that the key is in."
)
@force_option
@json_option
def redact(path: Path, out: Path, key: str | None, key_file: Path | None, force: bool, as_json: bool) -> None:
    """Make a log that tells what happened in LOG, and not to whom: names, images, labels and messages are pseudonyms.

    They cannot be led back without the key, and are the same wherever the original was. Phases, statuses, reasons,
    times, numbers and the shape of names are kept. docs/inspecting.md says what else is.
    """
    secret = _key(key, key_file)
    check(out, force=force, inputs=[path])
    with interruptible(), passage(path) as found, draft(out, force=force, inputs=[path]) as written:
        words = Pseudonyms(lambda text: hmac.digest(secret, text, "sha256"), nodes=found.nodes())
        redaction = Redaction(words)
        begin, count = found.start, found.status.head - found.start.seq
        objects = told(found.state(begin.seq), len(begin.refs), what="objects")
        start = Start(begin.seq, begin.time, _redacted(redaction, objects, path))
        events = _redacted(redaction, told(found.events(), count), path)
        made = make(written, out, _status(redaction, found.status), start, events)
    say(out, made, as_json=as_json)


def _redacted(redaction: Redaction, events: Iterable[Event], path: Path) -> Iterator[Event]:
    for event in events:
        try:
            redacted = redaction.event(event)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise LogFormatError(
                f"{path}: the event log is damaged: event {event.seq} is no resource ({error}); restore the file from a"
                " copy"
            ) from error
        yield redacted


def _status(redaction: Redaction, status: Status) -> Status:
    """Another history, of another cluster; what its creator left in it is left out."""
    return status._replace(
        epoch=redaction.identity(status.epoch),
        terms=[Term(redaction.identity(term.id), term.first) for term in status.terms],
        cluster=redaction.cluster(status.cluster) if status.cluster is not None else None,
        versions={},
        meta={"redacted": json.dumps(True)},
    )


def _key(key: str | None, file: Path | None) -> bytes:
    """Raises UsageError, ConfigError."""
    if key is not None and file is not None:
        raise UsageError("--key and --key-file: both say what the key is; give one of them")
    if key is not None:
        return _long_enough(key.encode("utf-8", "surrogateescape"), "--key")
    if file is None:
        return secrets.token_bytes(32)
    try:
        with file.open("rb") as opened:
            found = opened.read(_LONGEST)
    except OSError as error:
        raise ConfigError(f"{file}: the key cannot be read ({error.strerror}); check the path") from error
    return _long_enough(found.strip(), f"--key-file {file}")


def _long_enough(key: bytes, option: str) -> bytes:
    if len(key) < _SHORTEST:
        raise UsageError(
            f"{option}: a key of {len(key)} bytes could be guessed; give {_SHORTEST} or more, such as those of"
            " `openssl rand -hex 32`"
        )
    return key
