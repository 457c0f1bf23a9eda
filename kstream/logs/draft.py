"""A file that is whole or not there: written beside its place under another name, and moved there when it is done."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from kstream.core.errors import LogBusyError, LogError, LogFullError, UsageError
from kstream.logs.lock import WriterLock

_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_JOURNALS: Final = ("-wal", "-journal")  # SQLite would take what is in them for a part of the new file


@contextmanager
def draft(out: Path, *, force: bool, inputs: Sequence[Path] = (), log: bool = True) -> Iterator[Path]:
    """The path to write to: an empty file, for its owner alone. When the block is left it becomes `out`; when it is
    left by an exception, also Ctrl-C, nothing of it stays.

    `force`: a file that is there is replaced. `log`: it will be an event log, which nobody may write meanwhile.
    Raises UsageError for an `out` that may not be written, LogBusyError, LogFullError, LogError.
    """
    place = out.resolve()
    check(out, force=force, inputs=inputs)
    with ExitStack() as left, refused(out):
        if log:
            left.callback(WriterLock(place).release)
            _check_journals(out, place)
        descriptor, name = tempfile.mkstemp(prefix=".kstream-", suffix=".part", dir=place.parent)
        os.close(descriptor)
        left.callback(Path(name).unlink, missing_ok=True)
        yield Path(name)
        _flush(Path(name))
        _move(Path(name), place, force=force, out=out)
        with suppress(OSError):  # a file system that cannot; the file itself is on the disk
            _flush(place.parent)


def check(out: Path, *, force: bool, inputs: Sequence[Path] = ()) -> None:
    """Whether `out` may be written. Raises UsageError, before anything takes long."""
    if str(out) == "-":
        raise UsageError("-: this goes into a file, not to stdout; give the file's name")
    for each in inputs:
        with suppress(OSError):  # one of them is not there
            if out.samefile(each):
                raise UsageError(f"{out}: it is what is read, and that is never changed; give another name")
    try:
        there = out.is_file(), out.exists()
    except OSError as error:
        raise UsageError(f"{out!s:.200}: it can be no file ({error.strerror}); give another name") from error
    if there == (False, True):
        raise UsageError(f"{out}: it is there, and is no file; give another name")
    if there == (True, True) and not force:
        raise UsageError(f"{out}: it is there already; give another name, or --force to replace it")


def _check_journals(out: Path, place: Path) -> None:
    for end in _JOURNALS:
        if (beside := place.with_name(place.name + end)).exists():
            raise LogBusyError(
                f"{out}: {beside.name} is beside it: a log of that name is in use, or was not closed; stop who uses it,"
                " or give another name"
            )


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _move(written: Path, place: Path, *, force: bool, out: Path) -> None:
    if not force:
        try:
            os.link(written, place)  # a rename would replace what came there meanwhile
        except FileExistsError:
            check(out, force=False)
        except OSError:  # a file system without such links
            check(out, force=False)
        else:
            return
    os.replace(written, place)


@contextmanager
def refused(out: Path) -> Iterator[None]:
    """What the system refuses to write to `out` as LogFullError or LogError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise LogFullError(
                f"{out}: it cannot be written ({error.strerror}); make room on the disk, or raise the limit of its size"
            ) from error
        raise LogError(
            f"{out}: it cannot be written ({error.strerror}); check the folder, its permissions and the disk"
        ) from error
