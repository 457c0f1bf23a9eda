"""A file is whole or not there, and what is there is replaced only where it was said so."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from kstream.core.errors import LogBusyError, LogError, LogFullError, UsageError
from kstream.logs import draft as module
from kstream.logs.draft import check, draft, refused
from kstream.logs.lock import WriterLock


def test_what_is_done_gets_its_name_and_is_its_owners_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with draft(out, force=False) as written:
        written.write_text("whole")
        assert not out.exists()
        assert written.parent == tmp_path
    assert (out.read_text(), out.stat().st_mode & 0o777) == ("whole", 0o600)
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt, LogFullError, SystemExit])
def test_of_what_is_broken_off_nothing_stays(tmp_path: Path, error: type[BaseException], force: bool) -> None:
    if force:
        (tmp_path / "out").write_text("before")

    def broken_off() -> None:
        with draft(tmp_path / "out", force=force) as written:
            written.write_text("half")
            raise error

    with pytest.raises(error):
        broken_off()
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == (
        {"out": "before"} if force else {}
    )


def test_a_file_that_is_there_is_replaced_only_with_force(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("before")
    with pytest.raises(UsageError, match="it is there already"), draft(out, force=False):
        raise AssertionError
    with draft(out, force=True) as written:
        written.write_text("after")
    assert (out.read_text(), os.listdir(tmp_path)) == ("after", ["out"])


@pytest.mark.parametrize("force", [False, True])
def test_stdout_is_no_file_and_no_file_gets_its_sign_for_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="-: this goes into a file, not to stdout; give the file's name"):
        check(Path("-"), force=force)
    with pytest.raises(UsageError), draft(Path("-"), force=force):
        raise AssertionError
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("links", [True, False])
def test_what_came_there_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def unable(_from: object, _to: object) -> None:
        raise OSError(errno.EPERM, "no such links here")

    if not links:
        monkeypatch.setattr(os, "link", unable)
    out = tmp_path / "out"
    with pytest.raises(UsageError, match="it is there already"), draft(out, force=False):
        out.write_text("another's")
    assert (out.read_text(), os.listdir(tmp_path)) == ("another's", ["out"])
    with draft(tmp_path / "free", force=False) as written:
        written.write_text("mine")
    assert (tmp_path / "free").read_text() == "mine"


def test_what_is_read_is_never_written_whatever_it_is_called(tmp_path: Path) -> None:
    source = tmp_path / "log"
    source.write_text("kept")
    (tmp_path / "link").symlink_to(source)
    for out in (source, tmp_path / "link", tmp_path / "." / "log"):
        with pytest.raises(UsageError, match="it is what is read"):
            check(out, force=True, inputs=[tmp_path / "none", source])


def test_a_folder_is_no_file_and_a_name_may_be_too_long(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="and is no file"):
        check(tmp_path, force=True)
    with pytest.raises(UsageError, match="it can be no file"):
        check(tmp_path / ("x" * 5000), force=True)


def test_the_file_behind_a_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "folder" / "real")
    with draft(tmp_path / "out", force=False) as written:
        written.write_text("here")
    assert (tmp_path / "folder" / "real").read_text() == "here"
    assert (tmp_path / "out").is_symlink()


def test_a_log_that_is_written_is_not_replaced(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "out")
    with pytest.raises(LogBusyError), draft(tmp_path / "out", force=True):
        raise AssertionError
    with draft(tmp_path / "out", force=True, log=False) as written:
        written.write_text("no log")
    lock.release()


@pytest.mark.parametrize("end", ["-wal", "-journal"])
def test_what_sqlite_would_take_for_a_part_of_it_is_not_beside_a_new_log(tmp_path: Path, end: str) -> None:
    (tmp_path / f"out{end}").write_text("of another log")
    with pytest.raises(LogBusyError, match=f"out{end} is beside it"), draft(tmp_path / "out", force=True):
        raise AssertionError
    assert os.listdir(tmp_path) == [f"out{end}"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    for log in (True, False):
        with (
            pytest.raises(LogError, match="No such file"),
            draft(tmp_path / "no" / "out", force=False, log=log),
        ):
            raise AssertionError


def test_a_folder_that_cannot_be_flushed_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = module._flush

    def files_only(path: Path) -> None:
        if path.is_dir():
            raise OSError(errno.EINVAL, "not of folders")
        flush(path)

    monkeypatch.setattr(module, "_flush", files_only)
    with draft(tmp_path / "out", force=False) as written:
        written.write_text("whole")
    assert (tmp_path / "out").read_text() == "whole"


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, LogFullError), (errno.EFBIG, LogFullError), (errno.EIO, LogError)]
)
def test_what_the_system_refuses_has_its_name(number: int, error: type[LogError]) -> None:
    with pytest.raises(error, match="out: it cannot be written") as caught, refused(Path("out")):
        raise OSError(number, os.strerror(number))
    assert type(caught.value) is error


def test_a_reader_that_is_gone_is_another_matter() -> None:
    with pytest.raises(BrokenPipeError), refused(Path("out")):
        raise BrokenPipeError
