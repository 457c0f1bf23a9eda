"""What the streams of one API server tell each other: when it was last heard, and until when it was not."""

from __future__ import annotations

from typing import Final

from kstream.core.watching.reflection import Stream

RESTORED: Final = 10.0  # seconds without an answer in which etcd may have been put back to an older copy


class Contact:
    """Times are monotonic seconds. A stream that waits for reasons of its own notices no outage: the others did."""

    def __init__(self) -> None:
        self._heard = 0.0  # when any stream was answered, whatever the answer
        self._away_until = float("-inf")
        self._watching: set[Stream] = set()

    def heard(self, now: float) -> None:
        """The API server answered somebody, whatever the answer, or ended what it answered."""
        self._heard = now

    def opened(self, stream: Stream) -> None:
        """A watch is open: if the server stops, it is cut."""
        self._watching.add(stream)

    def ended(self, stream: Stream) -> None:
        """It is no longer."""
        self._watching.discard(stream)

    def away(self, since: float, now: float) -> None:
        """One stream got no answer from `since` until now, which is long; no news if another got one meanwhile."""
        if self._heard <= since:
            self._away_until = now

    def silent(self, now: float) -> None:
        """A watch says nothing more: if nobody was heard for long, the server may have been away unnoticed."""
        if now - self._heard >= RESTORED:
            self._away_until = now

    def doubtful(self, answered: float, now: float) -> bool:
        """For a stream that was `answered` last at that time: was the server away for long since then, or may it have
        been, because for so long nobody asked and nobody watched?"""
        unseen = not self._watching and now - self._heard >= RESTORED
        return self._away_until > answered or unseen
