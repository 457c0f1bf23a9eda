"""Temporary logs of processes that were killed are removed by the next one, and those of the living are not."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from kstream.core.errors import LogError
from kstream.logs.leftovers import sweep
from kstream.logs.lock import WriterLock
from kstream.logs.sqlite import SqliteLog

_OPENED = """
import asyncio, sys
from kstream.logs.sqlite import SqliteLog

async def main():
    log = await SqliteLog.open_temporary()
    print(log.path, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def opened(place: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that writes a temporary log in `place`, and that log."""
    process = subprocess.Popen(
        [sys.executable, "-c", _OPENED],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(place)},
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_a_log_that_is_written_is_left_alone_and_one_of_the_dead_is_removed(tmp_path: Path) -> None:
    (living, kept), (killed, left) = opened(tmp_path), opened(tmp_path)
    try:
        assert kept.is_relative_to(tmp_path)
        assert sweep(tmp_path) == 0
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert left.exists(), "nobody was there to remove it"
        assert sweep(tmp_path) == 1
        assert not left.parent.exists()
        assert kept.exists()
    finally:
        for process in (living, killed):
            process.kill()
            process.communicate()


def test_what_is_no_temporary_log_is_left_alone(tmp_path: Path) -> None:
    for name in ("kstream-abcdefgh", "kstream-12345678", "kstream-fake-abcd", "other-1234567"):
        (tmp_path / name).mkdir()
    (tmp_path / "kstream-12345678" / "log.db").touch()  # its writer is only beginning, or it is none of ours
    (tmp_path / "elsewhere").mkdir()
    for file in ("log.db", "log.db.lock"):
        (tmp_path / "elsewhere" / file).touch()
    (tmp_path / "kstream-linklink").symlink_to(tmp_path / "elsewhere")
    before = sorted(tmp_path.rglob("*"))
    assert sweep(tmp_path) == 0
    assert sorted(tmp_path.rglob("*")) == before
    assert sweep(tmp_path / "nowhere") == 0


def left_behind(place: Path, name: str, *files: str) -> Path:
    """What a dead process leaves, or a part of it."""
    (place / name).mkdir()
    for file in files:
        (place / name / file).touch()
    return place / name


def free() -> int:
    """The number that the next file to be opened gets: a higher one than before says that something stayed open."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor


def test_what_nobody_holds_any_more_is_removed_and_counted(tmp_path: Path) -> None:
    gone = [
        left_behind(tmp_path, f"kstream-1234567{n}", "log.db", "log.db.lock", "log.db-wal") for n in (1, 2)
    ]
    held = left_behind(tmp_path, "kstream-abcdefgh", "log.db", "log.db.lock")
    kept = [
        left_behind(tmp_path, "kstream-no-lock1", "log.db"),
        left_behind(tmp_path, "kstream-no-log12", "log.db.lock"),
        left_behind(tmp_path, "kstream-123", "log.db", "log.db.lock"),
    ]
    lock = WriterLock(held / "log.db")
    before = free()
    assert sweep(tmp_path) == 2
    assert free() == before
    assert [each.exists() for each in (*gone, held, *kept)] == [False, False, True, True, True, True]
    lock.release()


def test_what_is_another_users_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = left_behind(tmp_path, "kstream-12345678", "log.db", "log.db.lock")
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    assert sweep(tmp_path) == 0
    assert left.exists()


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    left = left_behind(tmp_path, "kstream-12345678", "log.db")
    (tmp_path / "elsewhere").touch()
    (left / "log.db.lock").symlink_to(tmp_path / "elsewhere")
    assert sweep(tmp_path) == 0
    assert left.exists()


def test_the_folder_of_the_system_is_swept_where_none_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left_behind(tmp_path, "kstream-12345678", "log.db", "log.db.lock")
    assert sweep() == 1
    assert list(tmp_path.iterdir()) == []


async def test_without_a_folder_for_temporary_files_the_remedy_is_said_and_nothing_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    with pytest.raises(LogError, match=r"emptyDir\) at /tmp, name one in TMPDIR, or give a file with --log"):
        await SqliteLog.open_temporary()

    def none() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(
        tempfile, "gettempdir", none
    )  # as the library has it on a file system that is read-only
    assert await asyncio.to_thread(sweep) == 0
