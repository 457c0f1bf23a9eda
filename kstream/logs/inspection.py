"""Reading a large log through while it is in use."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from kstream.core.errors import LogError, LogFormatError
from kstream.logs.connections import connect_for_reading, translated
from kstream.logs.structure import inspect
from kstream.processlog.lines import say

_log = logging.getLogger(__name__)
_GRACE: Final = 5.0  # seconds that it may take to end when it is told to
_AGAIN: Final = 0.05  # seconds until it is told so again


class Inspection:
    """`inspect`, in a thread of its own. `close` it before the writer of the file is closed."""

    def __init__(self, path: Path, damaged: Callable[[], None]) -> None:
        """`damaged` is called in the thread when something is."""
        self._damaged = damaged
        self.damage: str | None = None  # what LogFormatError would say
        self._path = path
        self._ended = False
        self._connection: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._run, name="kstream-log-inspection", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Break off what is not done. Blocks, for some seconds at most."""
        self._ended = True
        for _ in range(int(_GRACE / _AGAIN)):
            # Again and again: a connection that is between two statements forgets that it was interrupted.
            if (connection := self._connection) is not None:
                with suppress(sqlite3.ProgrammingError):  # closed meanwhile
                    connection.interrupt()
            self._thread.join(_AGAIN)
            if not self._thread.is_alive():
                return

    def _run(self) -> None:
        where = str(self._path)
        try:
            with translated(self._path), closing(connect_for_reading(self._path)) as connection:
                self._connection = connection
                if not self._ended:
                    inspect(self._path, connection)
        except LogFormatError as error:
            self.damage = str(error)
            say(_log, logging.ERROR, "damaged", log=where, message=self.damage)
            self._damaged()
        except LogError as error:
            if not self._ended:
                say(_log, logging.WARNING, "not inspected", log=where, message=str(error))
        finally:
            self._connection = None
