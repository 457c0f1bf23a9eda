"""An event log that plays in a store: what kstream recorded, as the API of a cluster again, from any moment to any."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from itertools import islice
from pathlib import Path
from typing import Final, Self

import msgspec

from kstream.core.errors import DivergedError, InvalidMessageError, LogError, LogFormatError, UsageError
from kstream.core.timeline.events import Event, ObjectKey, Verb
from kstream.core.timeline.state import ClusterState, Entry
from kstream.logs.places import past, seq_at, time_of
from kstream.logs.replay import ReplayLog
from kstream.logs.sqlite import SqliteLog
from kstream.ports import Clock, Jump
from simulator.apiserver.rebuilding import rebuilt
from simulator.apiserver.store import Store
from simulator.cluster.objects import Change

_AT_ONCE: Final = 100  # objects that are made before others have their turn
_SQLITE: Final = b"SQLite format 3\x00"
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_Name = tuple[str, str, str]  # kind, namespace, name


class PlayedLog:
    """The cluster of an event log, at the pace of a timeline that can be moved: a Pace.

    What there was at its first moment is there from the start. The version of each write is the seq of its event. Where
    the timeline is moved forward, what is different then is written at once. Where it is moved back, the cluster is
    what an etcd that was restored is: another store, whose versions are above all before. Close it.
    """

    def __init__(self, log: SqliteLog, timeline: ReplayLog, state: ClusterState) -> None:
        """For `open`."""
        self.timeline = timeline
        self._log = log
        self._state = state  # what the store holds
        self._latest = state.time
        self._holders: dict[_Name, str] = {}  # who has a name now, by uid
        self._store = Store()
        self._load(self._store, state)

    @classmethod
    async def open(
        cls, path: Path, clock: Clock, *, at: str | None, speed: float | None, paused: bool
    ) -> Self:
        """From a point on (docs/replay.md), by default from the first instant on that the log tells of, up to its end
        as it is now. `speed` None is as fast as it goes.

        Raises LogError for a file that is none, damaged or empty; UsageError for a point that is none.
        """
        log = await SqliteLog.open_read_only(path)
        try:
            if not log.head:
                raise LogError(f"Nothing was recorded in {path}: there is nothing to serve")
            if at is None:
                at = f"seq:{await seq_at(log, await time_of(log, log.oldest - 1))}"
            elif past(log, at):
                raise UsageError(f"--at {at}: the log ends with event {log.head}")
            timeline = await ReplayLog.open(
                log,
                clock,
                speed="max" if speed is None else speed,
                at=at,
                end=f"seq:{log.head}",
                paused=paused,
            )
            state = await log.state_at(timeline.head)
            return await asyncio.to_thread(cls, log, timeline, state)
        except InvalidMessageError as invalid:
            await log.close()
            raise UsageError(f"--{invalid.details}") from None
        except BaseException:
            await log.close()
            raise

    async def close(self) -> None:
        await self.timeline.close()
        await self._log.close()

    @property
    def store(self) -> Store:
        return self._store

    @property
    def ended(self) -> bool:
        return bool(self.timeline.playback["state"] != "playing")

    def now(self) -> float:
        """Of the timeline, seconds since the Unix epoch."""
        return self.timeline.time()

    def lasting(self, seconds: float) -> float:
        """How long so many seconds of the cluster are by the clock, as it goes now; 0 where it does not."""
        speed = self.timeline.playback["speed"]
        return 0.0 if self.ended or speed == "max" else seconds / float(speed)

    def restore(self, store: Store) -> None:
        self._store = store

    async def run(self, put_back: Callable[[Store], None]) -> None:
        """Until `close`. Raises LogError, also for a history that is not in one piece."""
        async with aclosing(self.timeline.follow(self._state.seq)) as told:
            async for found in told:
                if isinstance(found, Jump):
                    await self._move(found.state, put_back)
                else:
                    await self._write(change for event in found for change in self._told(event))

    async def _move(self, state: ClusterState, put_back: Callable[[Store], None]) -> None:
        skipped = None
        if state.seq >= self._state.seq:
            skipped = await asyncio.to_thread(self._skipped, state)
        if skipped is not None:
            latest = self._latest
            self._stand(state)
            self._latest = max(latest, state.time)  # it is the same cluster still
            await self._write(iter(skipped))
            self._store.advance(state.seq)
            return
        store = self._store.begun_anew()
        await asyncio.to_thread(self._load, store, state)
        put_back(store)

    async def _write(self, changes: Iterator[Change]) -> None:
        while some := list(islice(changes, _AT_ONCE)):
            for change in some:
                self._store.apply(change)
            await asyncio.sleep(0)

    def _load(self, store: Store, state: ClusterState) -> None:
        """Put a state into a store, without history. Versions end with the seq of its last event."""
        self._stand(state)
        standing = _by_name(state)
        # Each was made by an event of its own, so there are no more of them than there were events.
        for version, entry in enumerate(standing.values(), state.seq - len(standing) + 1):
            store.apply(self._change(Verb.ADDED, entry.key, entry.body, version, self._latest))
        store.advance(state.seq)
        store.compact()

    def _stand(self, state: ClusterState) -> None:
        self._state, self._latest = state, state.time
        self._holders = {name: entry.key.uid for name, entry in _by_name(state).items()}

    def _skipped(self, state: ClusterState) -> Sequence[Change] | None:
        """What is different in a later state, as writes; None where there are fewer versions than that."""
        before, after = _by_name(self._state), _by_name(state)
        writes = [
            (Verb.DELETED, entry)
            for name, entry in before.items()
            if name not in after or after[name].key.uid != entry.key.uid
        ]
        for name, entry in after.items():
            was = before.get(name)
            if was is None or was.key.uid != entry.key.uid:
                writes.append((Verb.ADDED, entry))
            elif was.body != entry.body:
                writes.append((Verb.MODIFIED, entry))
        if len(writes) > state.seq - self._state.seq:
            return None
        time = max(self._latest, state.time)
        return [
            self._change(verb, entry.key, entry.body, version, time)
            for version, (verb, entry) in enumerate(writes, state.seq - len(writes) + 1)
        ]

    def _told(self, event: Event) -> Iterator[Change]:
        # A clock that went back while it was recorded is no reason to play anything out of order.
        change, time = event.change, max(self._latest, event.change.time)
        self._latest = time
        try:
            before = self._state.apply(event)
        except (DivergedError, *_UNREADABLE) as error:
            raise self._damaged(str(error)) from error
        name = _name(change.key)
        if change.verb is not Verb.DELETED:
            self._holders[name] = change.key.uid
            yield self._change(change.verb, change.key, change.body, event.seq, time)
        # Where a log tells of the next one of a name first, the last one is gone from the API already.
        elif before is not None and self._holders.get(name) == change.key.uid:
            del self._holders[name]
            yield self._change(change.verb, change.key, before, event.seq, time)

    def _change(self, verb: Verb, key: ObjectKey, body: bytes, version: int, time: float) -> Change:
        try:
            return Change(time, verb, key.kind, rebuilt(key, body, version=version, time=time))
        except _UNREADABLE as error:
            raise self._damaged(f"the {key.kind} {key.uid} cannot be read ({error})") from error

    def _damaged(self, why: str) -> LogFormatError:
        return LogFormatError(
            f"{self._log.path}: the event log is damaged: {why}; restore the file from a copy"
        )


def is_log(path: Path) -> bool:
    """Whether the file is a database, and so no capture. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _by_name(state: ClusterState) -> dict[_Name, Entry]:
    """Of two that had a name at once, the one that a log told of last."""
    return {_name(entry.key): entry for entry in state}


def _name(key: ObjectKey) -> _Name:
    return key.kind.value, key.namespace, key.name
