"""The event log as an SQLite file that a person can open too (docs/log-format.md)."""

from __future__ import annotations

import asyncio
import logging
import queue
import sqlite3
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from typing import Final, Self, TypeVar

from kstream.clock import SystemClock
from kstream.core.errors import LogError, LogFormatError, LogTrimmedError
from kstream.core.timeline.blocks import Block
from kstream.core.timeline.events import Event, WatchEvent
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.narrow import Narrow
from kstream.core.timeline.retention import Holding
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.terms import Term
from kstream.logs import finding, reading
from kstream.logs.connections import connect_for_reading, translated
from kstream.logs.feed import Feed, Follower, followed
from kstream.logs.inspection import Inspection
from kstream.logs.recent import Recent
from kstream.logs.refusals import check_range
from kstream.logs.store import Change, Store
from kstream.logs.structure import is_large
from kstream.logs.writer import Writer
from kstream.ports import Clock, Jump
from kstream.processlog.lines import say

_log = logging.getLogger(__name__)
_PATIENCE: Final = 1.0  # seconds that whoever waits for a log to be opened is told nothing
_READERS: Final = 2  # a large state that is read does not hold up a follower that lags
_POLL_SECONDS: Final = 0.05  # how soon a reader of another process's log sees what was committed
_TRIM_EVENTS: Final = 20_000  # dropped in one transaction
_SHRINK_PAGES: Final = 2000  # given back to the disk in one transaction

_T = TypeVar("_T")


class SqliteLog:
    """An EventLog in a file. Open it with `open`, `open_read_only` or `open_temporary`; `close` it.

    `append` returns when the transaction is committed (WAL, synchronous=NORMAL): it survives the death of the
    process; the last moments before a loss of power may be lost.
    """

    def __init__(self, path: Path, *, status: reading.Status, writer: Store | None, clock: Clock) -> None:
        """For the constructors below."""
        self.path = path
        self._status = status
        self._clock = clock
        self._feed = Feed()
        self._recent = Recent()
        self._writer = None if writer is None else Writer(writer, self._published)
        self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="kstream-log-reader")
        self._idle: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._leftovers = ExitStack()
        self._inspection: Inspection | None = None

    @classmethod
    async def open(
        cls,
        path: str | Path,
        *,
        epoch: str | None = None,
        meta: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        only_trim: bool = False,
        clock: Clock | None = None,
    ) -> Self:
        """Open for writing, migrating an older format; create it where there is none.

        `epoch` (a random one by default) and `meta` (key → JSON text) are kept when the log is created; of an
        existing one the epoch must be the given one. The file never grows past `max_bytes`. With `only_trim` nothing
        can be appended, and a full disk is no hindrance; a process that is killed meanwhile may leave a damaged file.
        A large file is read through while it is in use: of damage that is found then whoever appends or follows hears.
        Raises LogBusyError (another writer), LogFormatError (no log, newer, damaged; left as it is),
        LogMismatchError (another epoch), LogError (the place cannot be written).
        """
        where = Path(path)
        opening = asyncio.ensure_future(
            asyncio.to_thread(
                Store, where, epoch=epoch, meta=meta or {}, max_bytes=max_bytes, only_trim=only_trim
            )
        )
        if not (await asyncio.wait((opening,), timeout=_PATIENCE))[0]:
            size = await asyncio.to_thread(_size, where)
            say(
                _log,
                logging.INFO,
                "opening",
                log=str(where),
                bytes=size,
                message="The whole file is read once",
            )
        store = await opening
        log = cls(where, status=store.status, writer=store, clock=clock or SystemClock())
        if not only_trim and await asyncio.to_thread(is_large, where):
            loop = asyncio.get_running_loop()

            def damaged() -> None:
                with suppress(RuntimeError):  # the loop is closed: nobody follows any more
                    loop.call_soon_threadsafe(log._feed.wake)

            log._inspection = Inspection(where, damaged)
        return log

    @classmethod
    async def open_temporary(
        cls, *, epoch: str | None = None, meta: Mapping[str, str] | None = None, max_bytes: int | None = None
    ) -> Self:
        """A log in the system's folder for temporary files, deleted by `close`. Raises LogError if there is none."""
        with ExitStack() as made:
            try:
                folder = made.enter_context(
                    await asyncio.to_thread(
                        tempfile.TemporaryDirectory, prefix="kstream-", ignore_cleanup_errors=True
                    )
                )
            except OSError as error:
                raise LogError(
                    f"There is no folder for the temporary event log ({error.strerror}): mount one that can be written"
                    " (in Kubernetes an emptyDir) at /tmp, name one in TMPDIR, or give a file with --log"
                ) from error
            log = await cls.open(Path(folder, "log.db"), epoch=epoch, meta=meta, max_bytes=max_bytes)
            log._leftovers = made.pop_all()
            return log

    @classmethod
    async def open_read_only(cls, path: str | Path, *, clock: Clock | None = None) -> Self:
        """Open for reading, also while another process writes it: `follow` sees what that one commits.

        Raises LogFormatError (no log, newer, damaged) and LogError (no such file).
        """
        where = Path(path)

        def look() -> reading.Status:
            with translated(where), closing(connect_for_reading(where)) as connection:
                return reading.status(where, connection)

        status = await asyncio.to_thread(look)
        return cls(where, status=status, writer=None, clock=clock or SystemClock())

    @property
    def epoch(self) -> str:
        return self._status.epoch

    @property
    def terms(self) -> Sequence[Term]:
        return self._status.terms

    @property
    def head(self) -> int:
        return self._status.head

    @property
    def oldest(self) -> int:
        return self._status.oldest

    @property
    def cluster(self) -> ClusterInfo | None:
        return self._status.cluster

    @property
    def versions(self) -> Mapping[str, str]:
        return self._status.versions

    @property
    def meta(self) -> Mapping[str, str]:
        """What the log was created with: key → JSON text."""
        return self._status.meta

    async def append(
        self, changes: Sequence[WatchEvent], *, versions: Mapping[str, str] | None = None
    ) -> int:
        """Commit; the new head. Raises LogFullError (a later append may work), LogError."""
        writer = self._writable()
        if not changes and not versions:
            return self.head
        return await writer.append(Change(changes, versions or {}))

    async def identify(self, cluster: ClusterInfo) -> None:
        """Raises LogMismatchError if the log is of another cluster."""
        await self._writable().run(lambda store: store.identify(cluster))

    async def holding(self) -> Holding:
        """The size is that of the pages in use. Raises LogFormatError for damage."""
        return await self._reading(reading.holding)

    async def trim(self, before: int) -> None:
        """Retention: drop the events with seq < before, and make the file smaller by what they took.

        Every state from before - 1 on stays what it was. Raises LogFullError when even that takes more room than
        there is; what was dropped by then is dropped.
        """
        writer = self._writable()
        while self.oldest < min(before, self.head + 1):
            # Appends get their turn in between.
            await writer.run(partial(Store.trim, before=min(before, self.oldest + _TRIM_EVENTS)))
            await self._shrink(writer)

    async def _shrink(self, writer: Writer) -> None:
        more = True

        def shrink(store: Store) -> None:
            nonlocal more
            more = store.shrink(_SHRINK_PAGES)

        while more:
            await writer.run(shrink)

    def follow(self, after: int) -> AsyncGenerator[Sequence[Event] | Jump, None]:
        return followed(self, self._feed, after, self._news)

    async def read(self, after: int, upto: int) -> Sequence[Event]:
        """Raises LogError if a part of it is not there, LogTrimmedError if it was; LogFormatError for damage."""
        await self._look(upto)
        check_range(after, upto, oldest=self.oldest, head=self.head)
        return await self._kept(lambda connection: reading.span(connection, after, upto))

    async def state_at(self, seq: int) -> ClusterState:
        """For oldest - 1 <= seq <= head. Raises LogTrimmedError or LogError otherwise, LogFormatError for damage."""
        await self._look(seq)
        check_range(seq, seq, oldest=self.oldest, head=self.head)
        return await self._kept(lambda connection: self._recent.state_at(connection, seq, head=self.head))

    async def blocks(self, after: int, upto: int, *, whole: bool = True) -> Sequence[Block]:
        """Raises LogTrimmedError or LogError for what is not there, LogFormatError for damage."""
        await self._look(upto)
        check_range(after, upto, oldest=self.oldest, head=self.head)
        return await self._kept(lambda connection: finding.blocks(connection, after, upto, whole=whole))

    async def reached(self, times: Sequence[float], after: int, upto: int) -> Sequence[int]:
        """Raises LogTrimmedError, and LogFormatError for damage."""
        return await self._kept(lambda connection: finding.reached(connection, times, after, upto))

    async def pick(self, seqs: Sequence[int]) -> Sequence[Event]:
        """Raises LogFormatError for one that is missing or damaged."""
        return await self._kept(lambda connection: finding.pick(connection, seqs))

    async def find(
        self, narrow: Narrow, after: int, upto: int, *, among: Sequence[int] | None = None
    ) -> Sequence[int]:
        """Raises LogFormatError for damage."""
        return await self._kept(lambda connection: finding.find(connection, narrow, after, upto, among))

    async def refresh(self) -> None:
        """Look again at a log that another process writes; of our own everything is known."""
        if self._writer is None:
            self._status = await self._reading(lambda connection: reading.status(self.path, connection))

    async def close(self) -> None:
        """Commit what waits; end the followers; let go of the file."""
        if self._feed.closed:
            return
        self._feed.close()
        await asyncio.to_thread(self._close_readers)
        if self._inspection is not None:
            await asyncio.to_thread(self._inspection.close)
        if self._writer is not None:
            await self._writer.close()
        await asyncio.to_thread(self._leftovers.close)

    def _writable(self) -> Writer:
        if self._feed.closed:
            raise LogError(f"{self.path}: the event log is closed")
        if self._writer is None:
            raise LogError(f"{self.path}: the event log was opened for reading only")
        self._look_at_inspection()
        return self._writer

    def _look_at_inspection(self) -> None:
        if self._inspection is not None and self._inspection.damage is not None:
            raise LogFormatError(self._inspection.damage)

    def _published(self, status: reading.Status, events: Sequence[Event]) -> None:
        self._status = status
        self._feed.publish(events)

    async def _look(self, seq: int) -> None:
        if seq > self.head:
            await self.refresh()

    async def _news(self, follower: Follower) -> None:
        if self._writer is not None:
            self._look_at_inspection()
            await follower.news()
            return
        await self._clock.sleep(_POLL_SECONDS)
        if not self._feed.closed:
            await self.refresh()

    async def _kept(self, read: Callable[[sqlite3.Connection], _T]) -> _T:
        try:
            return await self._reading(read)
        except LogTrimmedError:
            # Dropped after we looked: whoever tries again shall know from where.
            if self._feed.closed:
                raise
            if self._writer is None:
                await self.refresh()
            else:
                await self._writer.run(lambda _: None)  # what the writer did has been told when this is done
            raise

    async def _reading(self, read: Callable[[sqlite3.Connection], _T]) -> _T:
        if self._feed.closed:
            raise LogError(f"{self.path}: the event log is closed")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, read)

    def _read(self, read: Callable[[sqlite3.Connection], _T]) -> _T:
        with translated(self.path):
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                connection = connect_for_reading(self.path)
            try:
                return read(connection)
            finally:
                self._idle.put(connection)

    def _close_readers(self) -> None:
        self._threads.shutdown(wait=True)
        while not self._idle.empty():
            self._idle.get_nowait().close()


def _size(path: Path) -> int:
    """Bytes; 0 while there is no such file, which is as long as nobody has made it."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
