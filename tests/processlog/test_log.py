"""What reaches the handler becomes a line, whatever is wrong with it."""

from __future__ import annotations

import json
import logging

from kstream.clock import SystemClock
from kstream.processlog.lines import Lines
from kstream.processlog.log import ProcessLog


def written(*records: logging.LogRecord, clear: bytes = b"") -> list[bytes]:
    found: list[bytes] = []
    handler = ProcessLog(found.append, Lines("json", {}), clock=SystemClock(), clear=clear)
    for record in records:
        handler.handle(record)
    handler.close()
    return found


def record(message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("kstream", logging.ERROR, "f.py", 1, message, arguments, None)


def test_what_cannot_be_made_a_line_ends_nothing() -> None:
    first, second = written(record("%d of them", "many"), record("%d of them", 3))
    assert json.loads(first)["event"] == "a line could not be made"
    assert json.loads(second)["event"] == "3 of them"


def test_a_line_that_is_redrawn_on_a_terminal_is_cleared_first() -> None:
    (line,) = written(record("x"), clear=b"\r\x1b[K")
    assert line.startswith(b'\r\x1b[K{"ts"')
    assert line.endswith(b"}\n")


def test_what_another_library_says_of_each_of_many_is_one_sort() -> None:
    lines = [json.loads(line) for line in written(*(record("%d failed", number) for number in range(500)))]
    told = [line for line in lines if line["event"] != "left out"]
    assert len(told) < 500
    assert len(told) + sum(line["count"] for line in lines if line["event"] == "left out") == 500
