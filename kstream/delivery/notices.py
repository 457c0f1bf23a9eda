"""What clients are told beside the state and its events: which cluster it is, whether it is heard of, what is wrong,
and how the timeline is played (PROTOCOL 3, 8, 27)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from kstream.core.delivery import wire
from kstream.core.delivery.limits import Limits
from kstream.core.timeline.health import Fault, Health, Identified, Lost, Report, Synced
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
        self._doubted = False  # someone was told that what it holds may be old
        self._timeline: Timeline | None = None

    def watch(self, timeline: Timeline, announce: Callable[[bytes], None]) -> None:
        """How it is played is announced, and told to whoever comes."""
        self._timeline = timeline
        timeline.listen(lambda data: announce(wire.playback(data, time=self._time())))

    def greeting(self, *, resumed: bool | None, reason: str | None) -> Iterator[bytes]:
        """For one who comes, in this order."""
        yield self._connection("connected", resumed=bool(resumed), reason=reason, limits=self._limits)
        # One who resumes holds the state of an earlier life of the server.
        if self.health.stale or (resumed and not self.health.synced):
            yield self._connection("reconnecting")
            self._doubted = True
        time = self._time()
        for fault in self.health.faults.values():
            yield wire.error(fault, time=time)
        if self._timeline is not None:
            yield wire.playback(self._timeline.playback, time=time)

    def hear(self, report: Report) -> bytes | None:
        """Take in what the source says; the message for everyone, if that is news for them."""
        doubted = self.health.stale or self._doubted
        if not self.health.apply(report):
            return None
        match report:
            case Fault():
                return wire.error(report, time=self._time())
            case Lost():
                return self._connection("reconnecting")
            case Synced() if doubted:
                self._doubted = False
                return self._connection("connected")
            case Identified():
                return self._connection("reconnecting" if self.health.stale else "connected")
        return None

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
