"""What is behind all loggers of the process: bounds what a flood costs, and never waits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from kstream.ports import Clock
from kstream.processlog.flood import Flood
from kstream.processlog.lines import Lines, Scalar, fields_of
from kstream.processlog.outlet import Outlet

# The fields that make two lines of one event two sorts of line.
_SORTS: Final = ("reason", "fault", "code")

_Kind = tuple[tuple[str, Scalar], ...]


class ProcessLog(logging.Handler):
    """Formats where it is called, writes elsewhere; warnings and errors are bounded by sort."""

    def __init__(
        self,
        write: Callable[[bytes], None],
        lines: Lines,
        *,
        clock: Clock,
        clear: bytes = b"",
        among: int = 1,
    ) -> None:
        """`clear` goes before each line: what a terminal has to do with a line that is redrawn. So many processes
        write to one place as `among` says."""
        super().__init__()
        self._lines = lines
        self._clock = clock
        self._clear = clear
        self._flood: Flood[_Kind] = Flood(among=among)
        self._outlet = Outlet(write, self._owed, clock=clock)

    def emit(self, record: logging.LogRecord) -> None:
        """Never raises and never waits."""
        try:
            if record.levelno >= logging.WARNING and not self._flood.admits(
                _kind(record), self._clock.monotonic()
            ):
                self._outlet.remind()
                return
            self.put(self._lines.format(record))
        except Exception:  # noqa: BLE001 - what cannot be logged must not end what was going on
            self.put(self._lines.line("error", "a line could not be made", {}, time=record.created))

    def put(self, line: str) -> None:
        """A line as it is."""
        self._outlet.put(self._bytes(line))

    def close(self) -> None:
        """Write what is left, as far as somebody takes it."""
        self._outlet.close()
        super().close()

    def _bytes(self, line: str) -> bytes:
        return self._clear + line.encode(errors="backslashreplace") + b"\n"

    def _owed(self, lost: int) -> list[bytes]:
        """What was left out, and what nobody took in time."""
        self.acquire()
        try:
            found = self._flood.take(self._clock.monotonic())
        finally:
            self.release()
        told: list[Mapping[str, Scalar]] = [
            {"of": str(dict(left.kind)["event"])}
            | {name: value for name, value in left.kind if name != "event"}
            | {"count": left.lines, "seconds": round(left.seconds, 1)}
            for left in found
        ]
        if lost:
            told.append({"of": "all", "reason": "stderr takes no more", "count": lost})
        return [
            self._bytes(self._lines.line("warning", "left out", fields, time=self._clock.time()))
            for fields in told
        ]


def _kind(record: logging.LogRecord) -> _Kind:
    fields = fields_of(record)
    # The text before its arguments: what another library says of each of ten thousand sockets is one sort.
    # And of a fault what it is of: a thousand namespaces without a permission are one sort, too.
    sorts = ((name, _sort_of(fields[name])) for name in _SORTS if name in fields)
    return (("event", str(record.msg)[:200]), *sorts)


def _sort_of(value: Scalar) -> Scalar:
    return value.partition(":")[0] if isinstance(value, str) else value
