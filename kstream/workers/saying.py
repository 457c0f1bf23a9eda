"""What one process says to the other: JSON lines that the other can hear, and that nobody waits for."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Final

from kstream.processlog.lines import say

LINE: Final = 2**21  # bytes of a line that is heard; what is longer would be the end of whoever hears it
_UNREAD: Final = 2**22  # bytes that may wait: a process that was stopped reads nothing
_log = logging.getLogger(__name__)


def line_of(said: object) -> bytes | None:
    """The line that says it; None, and an error in the log of the process, for what is too long to be heard."""
    line = json.dumps(said).encode() + b"\n"
    if len(line) < LINE:
        return line
    message = f"What one process of kstream has to tell another is {len(line)} bytes long: it is left out"
    say(_log, logging.ERROR, "too long to tell", message=message)
    return None


class Voice:
    """Says it to the process that started this one, without ever waiting for it to read."""

    def __init__(self, pipe: asyncio.WriteTransport) -> None:
        self._pipe = pipe

    def say(self, said: object) -> bool:
        """False where it is not said: the other one is gone, does not read, or could not hear so long a line."""
        if self._pipe.is_closing() or self._pipe.get_write_buffer_size() > _UNREAD:
            return False
        if (line := line_of(said)) is None:
            return False
        self._pipe.write(line)
        return True
