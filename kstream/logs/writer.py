"""The writer thread: what waits is committed together, and what is committed is told to the event loop."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from kstream.core.timeline.events import Event
from kstream.logs.reading import Status
from kstream.logs.store import Change, Store

_GROUP_EVENTS: Final = 10_000  # events in one transaction, unless a single append has more
_WAITING: Final = 64  # appends that may wait for the thread; further callers wait for their turn


class _Append(NamedTuple):
    change: Change
    done: asyncio.Future[int]


class _Task(NamedTuple):
    run: Callable[[Store], None]
    done: asyncio.Future[int]


_Published = Callable[[Status, Sequence[Event]], None]


class Writer:
    """A Store with a thread of its own. `published` is called in the event loop, in the order of the commits."""

    def __init__(self, store: Store, published: _Published) -> None:
        self._store = store
        self._published = published
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(_WAITING)
        self._queue: queue.SimpleQueue[_Append | _Task | None] = queue.SimpleQueue()
        # A daemon: a program that ends without closing its log is not held up, and the file can take it.
        self._thread = threading.Thread(target=self._work, name="kstream-log-writer", daemon=True)
        self._thread.start()

    async def append(self, change: Change) -> int:
        """The head after the commit. A caller that is cancelled meanwhile does not undo it. Raises LogError."""
        async with self._room:
            done: asyncio.Future[int] = self._loop.create_future()
            self._queue.put(_Append(change, done))
            return await done

    async def run(self, task: Callable[[Store], None]) -> None:
        """Run something on the store, between two commits."""
        async with self._room:
            done: asyncio.Future[int] = self._loop.create_future()
            self._queue.put(_Task(task, done))
            await done

    async def close(self) -> None:
        """Commit what waits, close the file, end the thread."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while True:
            item = self._queue.get()
            group: list[_Append] = []
            events = 0
            while isinstance(item, _Append):
                group.append(item)
                events += len(item.change.events)
                if events >= _GROUP_EVENTS or self._queue.empty():  # nobody else takes from it
                    break
                item = self._queue.get()
            if group:
                self._commit(group)
            if isinstance(item, _Task):
                self._run(item)
            if item is None:
                self._store.close()
                return

    def _commit(self, group: Sequence[_Append]) -> None:
        try:
            events = self._store.commit([append.change for append in group])
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the callers, who get it
            if len(group) == 1:
                self._tell(self._settle, group[0].done, 0, error)
                return
            # One of them may be at fault (or too large): the others shall not suffer for it.
            for append in group:
                self._commit([append])
            return
        self._tell(self._publish, self._store.status, group, events)

    def _run(self, task: _Task) -> None:
        try:
            task.run(self._store)
        except Exception as error:  # noqa: BLE001 - it belongs to the caller
            self._tell(self._settle, task.done, 0, error)
            return
        self._tell(self._ran, self._store.status, task)

    def _tell(self, call: Callable[..., None], *arguments: object) -> None:
        with suppress(
            RuntimeError
        ):  # the program has ended without closing the log: nobody is left to be told
            self._loop.call_soon_threadsafe(call, *arguments)

    # What follows runs in the event loop.

    def _publish(self, status: Status, group: Sequence[_Append], events: Sequence[Event]) -> None:
        self._published(status, events)
        head = status.head - len(events)
        for append in group:
            head += len(append.change.events)
            self._settle(append.done, head, None)

    def _ran(self, status: Status, task: _Task) -> None:
        self._published(status, ())
        self._settle(task.done, status.head, None)

    @staticmethod
    def _settle(done: asyncio.Future[int], head: int, error: Exception | None) -> None:
        if done.done():
            return  # its caller was cancelled
        if error is None:
            done.set_result(head)
        else:
            done.set_exception(error)
