"""What another program recorded, as a history of its own: what changes a resource, numbered, under a new epoch."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from kstream.core.imports import audit, capture, kubectl
from kstream.core.imports.foreign import Form, Left, Lines
from kstream.core.timeline.events import Event
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.recorder import Recorder
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.terms import Term
from kstream.logs.making import Start
from kstream.logs.reading import Status

FORMS: Final[Mapping[str, Form]] = {
    "kubectl": kubectl.changes,
    "audit": audit.changes,
    "capture": capture.changes,
}
TWICE: Final = frozenset(("capture",))  # the forms whose files are read twice


class Adopted:
    """What to make a log of, which begins with nothing; `left` and the times are known when all `events` are read."""

    def __init__(self, form: str, files: Sequence[Lines], *, cluster: str) -> None:
        self.left = Left()
        self.first = self.last = 0.0  # when its events were, seconds since the Unix epoch
        self._changes = FORMS[form](files, self.left)
        self._recorder = Recorder(ClusterState())
        self.start = Start(0, 0.0, ())
        self.status = Status(
            uuid.uuid4().hex,
            [Term(uuid.uuid4().hex, 1)],
            head=0,
            oldest=1,
            cluster=ClusterInfo(cluster, "unknown"),
            versions={},
            meta={"imported": json.dumps(form)},
        )

    @property
    def unchanged(self) -> int:
        """How many changes were none of what kstream shows."""
        return self._recorder.suppressed

    def events(self) -> Iterator[Event]:
        """In the order of their times. Raises ConfigError with the file and the line."""
        kept = chain.from_iterable(self._recorder.take((change,)) for change in self._changes)
        for seq, change in enumerate(kept, 1):
            if seq == 1:
                self.first = change.time
            self.last = change.time
            yield Event(seq, change)
