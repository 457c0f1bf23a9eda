"""What a process would have on its stderr that nobody should ever read there."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Handler(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info is not None or record.levelno >= logging.CRITICAL:
            self._heard.append(self.format(record))


@contextmanager
def complaints() -> Iterator[list[str]]:
    """Tracebacks that are logged meanwhile; whatever else may be complained of can be added."""
    heard: list[str] = []
    handler = _Handler(heard)
    logging.getLogger().addHandler(handler)
    try:
        yield heard
    finally:
        logging.getLogger().removeHandler(handler)
