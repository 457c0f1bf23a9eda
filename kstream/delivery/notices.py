"""What clients are told beside the state and its events: which cluster it is, whether it is heard of, what is wrong,
and how the timeline is played (PROTOCOL 3, 8, 27)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from kstream.core.delivery import wire
from kstream.core.delivery.limits import Limits
from kstream.core.timeline.health import Cleared, Fault, Health, Identified, Report
from kstream.ports import Timeline


class Notices:
    """The messages; who they go to is the hub's affair."""

    def __init__(
        self,
        *,
        epoch: str,
        term: Callable[[], str],
        source: str,
        health: Health,
        limits: Limits,
        time: Callable[[], float],
    ) -> None:
        self.epoch = epoch
        self.source = source
        self.health = health
        self._term = term
        self._limits = limits
        self._time = time
        self._resumed_early = False  # someone holds the state of an earlier life of the server
        self._timeline: Timeline | None = None

    def watch(self, timeline: Timeline, announce: Callable[[bytes], None]) -> None:
        """How it is played is announced, and told to whoever comes."""
        self._timeline = timeline
        timeline.listen(lambda data: announce(wire.playback(data, time=self._time())))

    def greeting(self, *, resumed: bool | None, reason: str | None) -> Iterator[bytes]:
        """For one who comes, in this order."""
        yield self._connection("connected", resumed=bool(resumed), reason=reason, limits=self._limits)
        early = bool(resumed) and not self.health.synced
        self._resumed_early |= early
        if self.health.stale or early:
            yield self._connection("reconnecting")
        time = self._time()
        for fault in self.health.faults.values():
            yield wire.error(fault, time=time)
        if self._timeline is not None:
            yield wire.playback(self._timeline.playback, time=time)

    def hear(self, report: Report) -> list[bytes]:
        """Take in what the source says; the messages for everyone, as far as that is news for them."""
        before = (self.health.stale, self._doubtful)
        if not self.health.apply(report):
            return []
        told = []
        match report:
            case Fault():
                told.append(wire.error(report, time=self._time()))
            case Cleared(subject):
                told.append(wire.cleared(subject, time=self._time()))
        # Who came before one that resumed early was told that all is well, whatever has been doubtful since.
        if (self.health.stale, self._doubtful) != before or isinstance(report, Identified):
            told.append(self._connection("reconnecting" if self._doubtful else "connected"))
        return told

    @property
    def _doubtful(self) -> bool:
        """What some client was given to show may be old."""
        return self.health.stale or (self._resumed_early and not self.health.synced)

    def _connection(
        self,
        status: Literal["connected", "reconnecting"],
        *,
        resumed: bool | None = None,
        reason: str | None = None,
        limits: Limits | None = None,
    ) -> bytes:
        return wire.connection(
            status=status,
            cluster=self.health.cluster,
            epoch=self.epoch,
            term=self._term(),
            source=self.source,
            time=self._time(),
            resumed=resumed,
            reason=reason,
            limits=limits,
        )
