"""Why a file cannot grow, where SQLite says only that a write failed: it knows a full disk, and no other reason."""

from __future__ import annotations

import errno
import os
import resource
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROBE: Final = 64 << 10  # bytes
_NEAR: Final = 1 << 20  # bytes from the limit at which a write may have failed for it
_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


def refused(path: Path) -> str:
    """Why the log at `path` cannot grow, and the remedy; "" where it can."""
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit != resource.RLIM_INFINITY and _longest(path) + _NEAR > limit:
        return (
            f"a file of this process may have {limit} bytes; raise that limit (ulimit -f), or keep less"
            " (--keep-size)"
        )
    try:
        # Where the log is: a quota is that of a folder, a user or a file system.
        with tempfile.TemporaryFile(dir=path.resolve().parent, prefix=f".{path.name}-") as probe:
            os.write(probe.fileno(), bytes(_PROBE))
            os.fsync(probe.fileno())
    except OSError as error:
        if error.errno in _FULL:
            return f"{os.strerror(error.errno)}; make room on the disk or raise the quota"
    return ""


def _longest(path: Path) -> int:
    sizes = [0]
    for beside in (path, path.with_name(f"{path.name}-wal")):
        with suppress(OSError):
            sizes.append(beside.stat().st_size)
    return max(sizes)
