"""Whether the history that a stream was told may have ended, since etcd was put back to a copy (LISTWATCH 8, 14).

Every API server is stopped for that, so it takes some seconds without an answer. Versions are used again afterwards:
what was told before says nothing about what goes on, and only a list that is compared whole does.
"""

from __future__ import annotations

from kstream.core.watching.contact import RESTORED, Contact
from kstream.core.watching.reflection import Stream


class History:
    """Of one stream. Times are monotonic seconds."""

    def __init__(self, stream: Stream, contact: Contact) -> None:
        self._stream = stream
        self._contact = contact
        self._sent = 0.0  # when it was asked last
        self._granted = 0.0  # when that was last granted
        self._out_since: float | None = None  # nobody answers, or knows us
        self._late = False  # the last watch was
        self._blocked = False  # the watch was not read for so long that it may have been cut long ago

    def asked(self, now: float) -> None:
        """A request is sent."""
        self._sent = now

    def unanswered(self) -> None:
        """Nobody answered it, or knew us."""
        if self._out_since is None:
            self._out_since = self._sent

    def answered(self, now: float, *, granted: bool) -> None:
        """It was, whatever the answer. One that hung is an outage too, though nothing failed."""
        if self._hung(now):
            self._contact.away(self._sent, now)
            if not granted:
                self.unanswered()
        self._contact.heard(now)

    def granted(self, now: float, *, watch: bool) -> bool:
        """With what was asked for; whether that hung. Of watches only the first in a row, since a proxy may hold the
        head of every watch until there is a line."""
        late = self._hung(now)
        if watch:
            before, self._late = self._late, late
            if late and not before:
                return True
        self._granted, self._out_since, self._blocked = now, None, False
        return late and not watch

    def opened(self) -> None:
        """It is a watch, and open."""
        self._contact.opened(self._stream)

    def heard(self, now: float) -> None:
        """It says something."""
        self._contact.heard(now)

    def silent(self, now: float) -> None:
        """It is open, and says nothing: a server that lost its power cuts nothing."""
        self._contact.silent(now)

    def ended(self) -> None:
        """It is not open any more."""
        self._contact.ended(self._stream)

    def blocked(self, seconds: float) -> None:
        """Nothing was read for so long."""
        if seconds >= RESTORED:
            self._blocked = True

    def doubtful(self, now: float, *, watch: bool) -> bool:
        """Is it, before the next request, which is a `watch` that goes on from what was told?"""
        if self._out_since is not None and now - self._out_since >= RESTORED:
            self._contact.away(self._out_since, now)
            return True
        return watch and (self._blocked or self._contact.doubtful(self._granted, now))

    def _hung(self, now: float) -> bool:
        """Without an answer for long, whether to this request or to those before it."""
        since = self._sent if self._out_since is None else min(self._sent, self._out_since)
        return now - since >= RESTORED
