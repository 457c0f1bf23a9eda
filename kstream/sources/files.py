"""Files that a kubeconfig names: read whole or not at all, with a bound in bytes and in time.

A path may lead to a pipe, as with `--kubeconfig <(sops -d config)`: whoever should write into it may never do so.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from pathlib import Path
from typing import Final

WITHIN: Final = 10.0  # seconds for what comes through a pipe
_CHUNK: Final = 64 << 10  # bytes


def read_whole(path: Path, *, most: int, within: float = WITHIN) -> bytes:
    """Its content; of a longer one `most` bytes and one more. Blocks, for `within` seconds at most where it is no file.

    Raises OSError, also for a pipe into which nobody writes, and ValueError for what is no path.
    """
    # Of a directory Python would open nothing, and leave the descriptor open (fdopen).
    with open(path, "rb", buffering=0, opener=_at_once) as file:
        pipe = not stat.S_ISREG(os.fstat(file.fileno()).st_mode)
        deadline = time.monotonic() + within
        poll = select.poll()
        poll.register(file, select.POLLIN)
        content = bytearray()
        while len(content) <= most:
            if pipe and not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise OSError(
                    errno.ETIMEDOUT, f"it is no file, and nobody wrote all of it within {within:g} s"
                )
            if not (part := file.read(min(_CHUNK, most + 1 - len(content)))):
                break
            content += part
        return bytes(content)


def _at_once(path: str, flags: int) -> int:
    """Without waiting for whoever writes into a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)
