"""What is read from files that others may have written: the export of a log."""

from __future__ import annotations

import hashlib
import io
import json
from contextlib import suppress

import msgspec

from kstream.core.errors import ConfigError
from kstream.core.kube.pseudonyms import Pseudonyms
from kstream.core.kube.redaction import Redaction
from kstream.core.timeline.exchange import event_line, read_event
from kstream.logs.exchanged import Lines
from tests.fuzz.target import Target


def export(data: bytes) -> None:
    """What is read is one history, line by line what it was, and can be redacted or is no resource."""
    lines = Lines("x.ndjson", io.BytesIO(data))
    redaction = Redaction(Pseudonyms(lambda text: hashlib.sha256(text).digest()))
    objects, events = list(lines.start.objects), list(lines.events())
    assert len(objects) == lines.objects
    assert [event.seq for event in events] == list(range(lines.start.seq + 1, lines.status.head + 1))
    for event in (*objects, *events):
        assert read_event(event_line(event)) == event
        with suppress(msgspec.DecodeError, ValueError, RecursionError):
            json.loads(redaction.event(event).change.body)


TARGETS = (
    Target(
        name="export",
        run=export,
        syntax="text",
        raises=ConfigError,
        words=(
            *(
                "kstream",
                "log",
                "version",
                "epoch",
                "cluster",
                "meta",
                "versions",
                "terms",
                "start",
                "seq",
                "time",
            ),
            *(
                "objects",
                "events",
                "action",
                "ADDED",
                "MODIFIED",
                "DELETED",
                "kind",
                "pod",
                "node",
                "namespace",
            ),
            *(
                "name",
                "uid",
                "data",
                "labels",
                "owner",
                "containers",
                "image",
                "status",
                "null",
                "1e400",
                "-1",
            ),
        ),
        executions=300,
    ),
)
