"""One line of a terminal that is written again and again, and never waited for."""

from __future__ import annotations

import os
import select
import sys

_AGAIN = "\r{}\x1b[K"  # from the beginning of the line, and nothing behind it


def show(text: str) -> None:
    """Write it to stderr, if that takes it: a terminal that Ctrl-S has stopped is passed over, and stops nothing."""
    try:
        terminal = sys.stderr.fileno()
        if select.select([], [terminal], [], 0)[1]:
            os.write(terminal, _AGAIN.format(text).encode())
    except (OSError, ValueError):  # it is closed, or was never open
        return
