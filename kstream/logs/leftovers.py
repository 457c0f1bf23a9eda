"""What a process that was killed left behind: temporary logs that nobody writes any more."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

_FOLDERS: Final = "kstream-????????"  # as SqliteLog.open_temporary has them made
_LOG: Final = "log.db"


def sweep(folder: Path | None = None) -> int:
    """Remove the temporary logs of dead processes from `folder` (the system's, by default); how many there were.

    A log whose writer lives is locked, and left alone; so is what is another user's. Raises nothing.
    """
    try:
        place = Path(tempfile.gettempdir()) if folder is None else folder
    except OSError:  # there is none that can be written, so there is nothing in it
        return 0
    return sum(_removed(found) for found in place.glob(_FOLDERS))


def _removed(folder: Path) -> bool:
    try:
        if folder.is_symlink() or folder.lstat().st_uid != os.getuid() or not (folder / _LOG).is_file():
            return False
        # A writer takes the lock before it makes the log: one that is only beginning has no log yet.
        descriptor = os.open(folder / f"{_LOG}.lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
