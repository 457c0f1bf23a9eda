"""Where a served cluster comes from, and how fast: changes in the order of their time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from kstream.ports import Clock
from simulator.apiserver.store import Store
from simulator.cluster.objects import Change


class Feed(Protocol):
    """The changes of a cluster: a capture of a real one, or a simulated one."""

    def next_time(self) -> float | None:
        """When the next change happens, seconds since the Unix epoch; None if there is none."""
        ...

    def until(self, time: float) -> Iterable[Change]:
        """The changes up to and with `time`, seconds since the Unix epoch, that were not handed out yet, in order."""
        ...


class Pace(Protocol):
    """What plays a cluster into a store."""

    @property
    def ended(self) -> bool:
        """Nothing more happens by itself."""
        ...

    def now(self) -> float:
        """The time in the cluster, seconds since the Unix epoch."""
        ...

    def lasting(self, seconds: float) -> float:
        """How long so many seconds of the cluster are by the clock, as it goes now."""
        ...

    def restore(self, store: Store) -> None:
        """Play the rest into this store."""
        ...

    async def run(self, put_back: Callable[[Store], None]) -> None:
        """Play; `put_back` is called with another history where it goes back."""
        ...


class Pacing:
    """Plays a feed into a store: `speed` seconds of the cluster for each second of the clock."""

    def __init__(
        self,
        feed: Feed,
        store: Store,
        clock: Clock,
        *,
        speed: float | None,
        paused: bool = False,
    ) -> None:
        """`speed` None is as fast as it goes. What happens in the feed's first instant is there at once; with `paused`
        nothing else happens, and time stands still."""
        self._feed = feed
        self._store = store
        self._clock = clock
        self._speed = None if paused else speed
        self._paused = paused
        first = feed.next_time()
        self._start = clock.time() if first is None else first
        self._latest = self._start
        self._began = clock.monotonic()
        self._play(self._start)

    @property
    def ended(self) -> bool:
        return self._paused or self._feed.next_time() is None

    def now(self) -> float:
        """The time in the cluster, seconds since the Unix epoch."""
        if self._speed is None:
            return self._latest
        return self._start + (self._clock.monotonic() - self._began) * self._speed

    def lasting(self, seconds: float) -> float:
        """How long so many seconds of the cluster are by the clock."""
        return seconds / self._speed if self._speed is not None else 0.0

    def restore(self, store: Store) -> None:
        """Play the rest into this store."""
        self._store = store

    async def run(self, put_back: Callable[[Store], None]) -> None:
        """Play the rest; returns when the feed has ended. A feed goes on, and never back."""
        del put_back
        while not self.ended:
            if (due := self._feed.next_time()) is None:
                return
            if self._speed is not None:
                await self._clock.sleep(max(0.0, (due - self.now()) / self._speed))
            else:
                await self._clock.sleep(0)
            self._play(due if self._speed is None else max(due, self.now()))

    def _play(self, time: float) -> None:
        for change in self._feed.until(time):
            self._store.apply(change)
        self._latest = max(self._latest, time)
