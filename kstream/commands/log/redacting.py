"""What the commands that redact have in common: the key, and a span of a log under its pseudonyms."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import click
import msgspec

from kstream.config import env_option
from kstream.core.errors import ConfigError, LogFormatError, UsageError
from kstream.core.kube.pseudonyms import Pseudonyms
from kstream.core.kube.redaction import Redaction
from kstream.core.timeline.events import Event
from kstream.core.timeline.terms import Term
from kstream.logs.passage import Passage
from kstream.logs.reading import Status

REDACTED: Final = "redacted"  # in the meta of a log, and of nothing else
_SHORTEST: Final = 16  # bytes of a key: a shorter one could be guessed
_LONGEST: Final = 1 << 20  # bytes of its file

key_option = env_option(
    "--key", metavar="KEY", help="The same key makes the same pseudonyms.  [default: a random one, not kept]"
)
key_file_option = env_option(
    "--key-file", type=click.Path(dir_okay=False, path_type=Path), help="The file that the key is in."
)


class Redacted:
    """A passage as it may be shown to others: nothing of it but under pseudonyms."""

    def __init__(self, found: Passage, key: bytes) -> None:
        """`key`: as `key_of` gives it."""
        words = Pseudonyms(lambda text: hmac.digest(key, text, "sha256"), nodes=found.nodes())
        self._redaction = Redaction(words)
        self._path = found.path
        self.status = self._status(found.status)

    def events(self, events: Iterable[Event]) -> Iterator[Event]:
        """Raises LogFormatError for what is no resource."""
        for event in events:
            try:
                redacted = self._redaction.event(event)
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                raise no_resource(self._path, event, error) from error
            yield redacted

    def _status(self, status: Status) -> Status:
        """Another history, of another cluster; what its creator left in it is left out."""
        redaction = self._redaction
        return status._replace(
            epoch=redaction.identity(status.epoch),
            terms=[Term(redaction.identity(term.id), term.first) for term in status.terms],
            cluster=redaction.cluster(status.cluster) if status.cluster is not None else None,
            versions={},
            meta={REDACTED: json.dumps(True)},
        )


def no_resource(path: Path, event: Event, error: Exception) -> LogFormatError:
    return LogFormatError(
        f"{path}: the event log is damaged: event {event.seq} is no resource ({error}); restore the file from a copy"
    )


def key_of(key: str | None, file: Path | None) -> bytes:
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
