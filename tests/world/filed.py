"""The product's own log in a file, on a disk that is played: what a killed process leaves, a loss of power, a copy."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from kstream.core.errors import LogFullError
from kstream.core.timeline.events import Event
from kstream.logs.feed import Follower
from kstream.logs.reading import Status
from kstream.logs.sqlite import SqliteLog
from kstream.logs.store import Change, Store
from kstream.logs.writer import Writer
from kstream.ports import Clock, TrimmableLog
from tests.world.disk import Disk
from tests.world.loop import in_a_thread

_WAL_HEADER = 32  # bytes (sqlite.org/fileformat.html, 4.1)
_FRAME_HEADER = 24
_BACKFILL = 96  # bytes from the beginning of the -shm file
_Files = dict[str, bytes]


class FileDisk(Disk):
    """A folder for each life of the process: what the one before left there, as it was when it died."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._lives = 0
        self._synced = 0  # frames of the WAL, when the last process died
        self._put_by: list[_Files] = []
        self._here().mkdir()

    def _here(self) -> Path:
        return self._folder / str(self._lives)

    async def open(self, clock: Clock) -> TrimmableLog:
        log = await FileLog.open(self._here() / "log.db", epoch=self.epoch, clock=clock)
        log.is_on(self)
        return log

    async def open_read_only(self, clock: Clock) -> SqliteLog:
        """As a worker does, beside the process that writes it."""
        return await SqliteLog.open_read_only(self._here() / "log.db", clock=clock)

    async def died(self, log: TrimmableLog) -> None:
        left = self._files()
        shared = self._here() / "log.db-shm"
        self._synced = backfilled(shared.read_bytes()) if shared.exists() else 0
        await log.close()
        self._lay(left)

    def copy(self) -> None:
        self._put_by.append(self._files())

    def put_back(self) -> None:
        if self._put_by:
            self._lay(self._put_by.pop(0))

    def lose_tail(self, count: int) -> None:
        """What is in the database itself was synced; of what is in the WAL the last transactions are not there."""
        files = self._files()
        if "log.db-wal" in files:
            files["log.db-wal"] = shortened(files["log.db-wal"], count, synced=self._synced)
        self._lay(files)

    def _files(self) -> _Files:
        return {
            name: (self._here() / name).read_bytes()
            for name in ("log.db", "log.db-wal")
            if (self._here() / name).exists()
        }

    def _lay(self, files: _Files) -> None:
        self._lives += 1
        self._here().mkdir()
        for name, content in files.items():
            (self._here() / name).write_bytes(content)


def backfilled(shared: bytes) -> int:
    """The frames of the WAL that a checkpoint has copied, which it synced before (walformat, 2.1: nBackfill)."""
    return int(struct.unpack_from("=I", shared, _BACKFILL)[0])


def shortened(wal: bytes, count: int, *, synced: int) -> bytes:
    """Without its last `count` transactions, but for the first `synced` frames."""
    if len(wal) < _WAL_HEADER:
        return wal
    (page,) = struct.unpack_from(">I", wal, 8)
    salts, ends = wal[16:24], [_WAL_HEADER]
    for at in range(_WAL_HEADER, len(wal) - page - _FRAME_HEADER + 1, page + _FRAME_HEADER):
        if wal[at + 8 : at + 16] != salts:
            break  # of before a checkpoint
        if wal[at + 4 : at + 8] != bytes(4):
            ends.append(at + page + _FRAME_HEADER)
    kept = _WAL_HEADER + synced * (page + _FRAME_HEADER)
    return wal[: max(kept, ends[max(0, len(ends) - 1 - count)])]


class FileLog(SqliteLog):
    """SqliteLog, whose writer has no thread."""

    def __init__(self, path: Path, *, status: Status, writer: Store | None, clock: Clock) -> None:
        super().__init__(path, status=status, writer=None, clock=clock)
        self._disk = Disk()
        if writer is not None:
            self._writer = _Inline(writer, self._published)

    def is_on(self, disk: Disk) -> None:
        self._disk = disk
        assert isinstance(self._writer, _Inline)
        self._writer.disk = disk

    async def _news(self, follower: Follower) -> None:
        await super()._news(follower)
        await asyncio.sleep(self._disk.told_after)


class _Inline(Writer):
    """Commits at once; whoever waits for it hears of it when the disk is done."""

    def __init__(self, store: Store, published: Callable[[Status, Sequence[Event]], None]) -> None:
        self._store = store
        self._published = published
        self.disk = Disk()

    async def append(self, change: Change) -> int:
        disk = self.disk
        if disk.full:
            disk.refused += 1
            raise LogFullError("the disk is full")
        disk.refused = 0
        with in_a_thread():
            events = self._store.commit([change])
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(disk.slow, self._tell_all, events, told)
        await told
        return events[-1].seq if events else self._store.status.head

    def _tell_all(self, events: Sequence[Event], told: asyncio.Future[None]) -> None:
        self._published(self._store.status, events)
        if not told.done():
            told.set_result(None)

    async def run(self, task: Callable[[Store], None]) -> None:
        if self.disk.full:
            raise LogFullError("the disk is full")
        with in_a_thread():
            task(self._store)
        self._published(self._store.status, ())

    async def close(self) -> None:
        with in_a_thread():
            self._store.close()
