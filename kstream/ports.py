"""The protocols that adapters implement; everything above speaks to these, never to an adapter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from kstream.core.timeline.blocks import Block
from kstream.core.timeline.events import Delivery, Event, Known, WatchEvent
from kstream.core.timeline.health import ClusterInfo, Report
from kstream.core.timeline.narrow import Narrow
from kstream.core.timeline.retention import Holding
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.terms import Term


class Clock(Protocol):
    """The only way to real time. Seconds everywhere."""

    def time(self) -> float:
        """Seconds since the Unix epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean something."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait until `event` is set, for `seconds` at most (may be infinite); says whether it is set."""
        ...


class Reporter(Protocol):
    """Who is told what a source says about itself; `after` is the seq of the last event that came before it."""

    def __call__(self, report: Report, *, after: int) -> None: ...


class Source(Protocol):
    """Where facts come from: a cluster, or a simulation of one.

    It never raises for what the cluster does (refusals, outages, nonsense): those are reports. It may be
    iterated once; asking for the next delivery says that the one before is committed.
    """

    def deliveries(self, known: Known) -> AsyncGenerator[Delivery, None]: ...


class Jump(NamedTuple):
    """The timeline went elsewhere (seek, loop): `state` replaces everything that was followed so far."""

    state: ClusterState


class EventLog(Protocol):
    """The committed history of one timeline. Raises LogError for what is wrong with the storage."""

    @property
    def epoch(self) -> str:
        """The id of this history; another history, another epoch (PROTOCOL 3)."""
        ...

    @property
    def terms(self) -> Sequence[Term]:
        """Who wrote from where on, in order; the last one is that of whoever writes now. Never empty."""
        ...

    @property
    def head(self) -> int:
        """The seq of the last committed event, 0 when there is none."""
        ...

    @property
    def oldest(self) -> int:
        """The seq of the first event that is kept (retention drops the earliest); head + 1 when none is."""
        ...

    @property
    def cluster(self) -> ClusterInfo | None: ...

    @property
    def versions(self) -> Mapping[str, str]:
        """Stream name → the resourceVersion to watch on from, as last committed."""
        ...

    async def refresh(self) -> None:
        """See what another process has committed; what this one has is seen anyway."""
        ...

    async def append(
        self, changes: Sequence[WatchEvent], *, versions: Mapping[str, str] | None = None
    ) -> int:
        """Commit changes and versions in one transaction; durable when it returns. Returns the new head."""
        ...

    async def identify(self, cluster: ClusterInfo) -> None:
        """Keep which cluster this is the history of. Raises LogMismatchError if it is of another one."""
        ...

    def follow(self, after: int) -> AsyncGenerator[Sequence[Event] | Jump, None]:
        """Committed events with seq > after, in order, without a gap, for ever (a replay: to its end)."""
        ...

    async def read(self, after: int, upto: int) -> Sequence[Event]:
        """The committed events with after < seq <= upto."""
        ...

    async def state_at(self, seq: int) -> ClusterState:
        """The fold of the events up to and with `seq`: the nearest keyframe, then the rest."""
        ...

    async def blocks(self, after: int, upto: int, *, whole: bool = True) -> Sequence[Block]:
        """The index of the events with after < seq <= upto, without a gap; the first block may begin earlier, the last
        one end later. Not `whole`: those that are there, from the first event of the span on, and not the rest."""
        ...

    async def reached(self, times: Sequence[float], after: int, upto: int) -> Sequence[int]:
        """For each of these times, which ascend, the last event until then, `after` where there is none; by halves, as
        far as times go up with the events. Seconds since the Unix epoch."""
        ...

    async def pick(self, seqs: Sequence[int]) -> Sequence[Event]:
        """The events with these seqs, which ascend: of those that retention has dropped only what still lives."""
        ...

    async def find(
        self, narrow: Narrow, after: int, upto: int, *, among: Sequence[int] | None = None
    ) -> Sequence[int]:
        """The seqs of events with after < seq <= upto that fit, ascending; of dropped ones those that can be picked.

        `among`: of these only, none of which was dropped."""
        ...

    async def close(self) -> None: ...


class TrimmableLog(EventLog, Protocol):
    """A log that can forget its beginning."""

    async def holding(self) -> Holding:
        """How much there is, as of now."""
        ...

    async def trim(self, before: int) -> None:
        """Drop the events with seq < before; every state from before - 1 on stays what it was.

        Raises LogFullError when even that takes more room than there is; what was dropped by then is dropped.
        """
        ...


class Timeline(Protocol):
    """A log that is played, as far as those who watch it need to know."""

    @property
    def playback(self) -> Mapping[str, Any]:
        """The data of a `playback` message, as of now (PROTOCOL 27)."""
        ...

    def listen(self, listener: Callable[[Mapping[str, Any]], None]) -> Callable[[], None]:
        """Call `listener` with that data at every change; the result ends it."""
        ...


class Played(Timeline, Protocol):
    """A timeline that its operator moves, for all who watch it (PROTOCOL 28)."""

    def play(self) -> None:
        """Go on; after the end, from the start."""
        ...

    def pause(self) -> None: ...

    def set_speed(self, speed: float | str) -> None:
        """A number above 0, or "max". Raises InvalidMessageError."""
        ...

    def step(self) -> None:
        """Pause, and show one event more."""
        ...

    async def seek(self, point: str) -> None:
        """Go to a point, or to the nearest bound. Raises InvalidMessageError."""
        ...

    async def obeyed(self) -> None:
        """Until whoever follows has been handed what came of all commands, and has asked for more."""
        ...
