"""The lock of the one writer: who has it, who is refused, and what is left behind."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest

from kstream.core.errors import LogBusyError, LogError
from kstream.logs.lock import WriterLock


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


def free() -> int:
    """The number that the next file to be opened gets: a higher one than before says that something stayed open."""
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor


def test_the_lock_is_a_file_beside_the_log_and_is_gone_with_it(log: Path) -> None:
    before = free()
    lock = WriterLock(log)
    assert [each.name for each in log.parent.iterdir()] == ["log.db.lock"]
    lock.release()
    assert list(log.parent.iterdir()) == []
    assert free() == before


def test_others_may_see_the_lock_but_not_take_it_away(log: Path) -> None:
    mask = os.umask(0o022)
    try:
        lock = WriterLock(log)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(log.with_name("log.db.lock").stat().st_mode) == 0o644
    lock.release()


def test_a_second_one_is_refused_until_the_first_lets_go(log: Path) -> None:
    lock = WriterLock(log)
    before = free()
    for _ in range(2):
        with pytest.raises(LogBusyError, match=r"log\.db: another kstream writes this event log; stop it"):
            WriterLock(log)
    assert free() == before
    lock.release()
    WriterLock(log).release()


def test_a_lock_file_of_a_dead_writer_is_taken_over(log: Path) -> None:
    log.with_name("log.db.lock").touch()
    lock = WriterLock(log)
    with pytest.raises(LogBusyError):
        WriterLock(log)
    lock.release()
    assert list(log.parent.iterdir()) == []


def test_a_lock_file_that_somebody_removed_does_not_hinder_its_release(log: Path) -> None:
    before = free()
    lock = WriterLock(log)
    log.with_name("log.db.lock").unlink()
    lock.release()
    assert free() == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        LogError, match=r"nowhere/log\.db: .* \(No such file or directory\); check the folder"
    ):
        WriterLock(tmp_path / "nowhere" / "log.db")


@pytest.mark.parametrize("replaced", [False, True])
def test_a_lock_on_a_file_that_its_holder_removed_meanwhile_is_none(
    log: Path, monkeypatch: pytest.MonkeyPatch, *, replaced: bool
) -> None:
    """The holder before may remove the file between our open and our lock: then another one may have the next."""
    before, locked, flock = free(), 0, fcntl.flock

    def released_meanwhile(descriptor: int, operation: int) -> None:
        nonlocal locked
        locked += 1
        if locked == 1:
            log.with_name("log.db.lock").unlink()
            if replaced:
                log.with_name("log.db.lock").touch()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", released_meanwhile)
    lock = WriterLock(log)
    assert locked == 2
    with pytest.raises(LogBusyError):
        WriterLock(log)
    lock.release()
    assert free() == before
