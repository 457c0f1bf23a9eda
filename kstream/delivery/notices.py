"""What clients are told beside the state and its events: which cluster it is, whether it is heard of, what is wrong,
and how the timeline is played (PROTOCOL 3, 8, 27)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Literal

from kstream.core.delivery import wire
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.messages import Mode
from kstream.core.delivery.urgent import Word
from kstream.core.timeline.health import Cleared, Fault, Health, Identified, Report
from kstream.ports import Timeline

_CONNECTION = "connection"
_PLAYBACK = "playback"


def _about(subject: str) -> str:
    return f"fault {subject}" if subject else ""


class Notices:
    """The messages; who they go to is the hub's affair."""

    def __init__(
        self,
        *,
        epoch: str,
        term: Callable[[], str],
        source: Mode,
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
        self._later: deque[tuple[int, Report]] = deque()
        self._faults: dict[str, bytes] = {}  # what lasts, as it was said: the same bytes for all who come

    def watch(self, timeline: Timeline, announce: Callable[[Word], None]) -> None:
        """How it is played is announced, and told to whoever comes."""
        self._timeline = timeline
        timeline.listen(lambda data: announce(Word(_PLAYBACK, wire.playback(data, time=self._time()))))

    def greeting(self, *, resumed: bool | None, reason: str | None) -> Iterator[Word]:
        """For one who comes, in this order."""
        greeting = self._connection("connected", resumed=bool(resumed), reason=reason, limits=self._limits)
        yield Word("greeting", greeting)
        early = bool(resumed) and not self.health.synced
        self._resumed_early |= early
        if self.health.stale or early:
            yield Word(_CONNECTION, self._connection("reconnecting"))
        for subject, error in self._faults.items():
            yield Word(_about(subject), error)
        if self._timeline is not None:
            yield Word(_PLAYBACK, wire.playback(self._timeline.playback, time=self._time()))

    def put(self, report: Report, after: int) -> None:
        """To be heard once the state has reached event `after`, and all that was said before."""
        self._later.append((after, report))

    def due(self, seq: int) -> Iterator[Report]:
        """What is to be heard now that the state is at event `seq`."""
        while self._later and self._later[0][0] <= seq:
            yield self._later.popleft()[1]

    def hear(self, report: Report) -> list[Word]:
        """Take in what the source says; the messages for everyone, as far as that is news for them."""
        before = (self.health.stale, self._doubtful)
        if not self.health.apply(report):
            return []
        told: list[Word] = []
        match report:
            case Fault(subject=subject):
                error = wire.error(report, time=self._time())
                told.append(Word(_about(subject), error))
                if subject:
                    self._faults[subject] = error
            case Cleared(subject):
                told.append(Word(_about(subject), wire.cleared(subject, time=self._time())))
                self._faults.pop(subject, None)
        # Who came before one that resumed early was told that all is well, whatever has been doubtful since.
        if (self.health.stale, self._doubtful) != before or isinstance(report, Identified):
            now = self._connection("reconnecting" if self._doubtful else "connected")
            told.append(Word(_CONNECTION, now))
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
