"""What the rules of a fault script make of the lines of one watch. Pure: lines in, steps out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from simulator.apiserver.faults import ErrorEvent, Rule
from simulator.apiserver.watching import Line

_IN_ONE_CHUNK: Final = 10


class Send(NamedTuple):
    data: bytes


class Pause(NamedTuple):
    seconds: float | None  # None: for ever


class End(NamedTuple):
    clean: bool  # else the connection is cut


Step = Send | Pause | End


class StreamFaults:
    """The faults of one watch, each of which waits for its place in it."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._waiting = [rule for rule in rules if rule.in_stream]
        self._objects = 0
        self._first = b""
        self._held: list[bytes] | None = None
        self._slow: Rule | None = None
        self._no_bookmarks = any(rule.do.no_bookmarks for rule in self._waiting)
        self._initial_end = next(
            (rule.do.initial_end for rule in self._waiting if rule.do.initial_end is not None), None
        )
        self._waiting = [
            rule for rule in self._waiting if rule.do.kind not in ("initial_end", "no_bookmarks")
        ]

    def open(self) -> list[Step]:
        """What happens before the first line."""
        return self._due(b"")

    def lines(self, lines: Sequence[Line]) -> list[Step]:
        """What is sent in place of these lines."""
        if not self._waiting and self._slow is None and self._held is None and not self._changes_bookmarks:
            if not self._first and lines:
                self._first = lines[0].body
            self._objects += sum(line.type != "BOOKMARK" for line in lines)
            return [Send(b"".join([line.body for line in lines]))]
        steps: list[Step] = []
        for line in lines:
            steps += self._line(line)
            if steps and (isinstance(steps[-1], End) or steps[-1] == Pause(None)):
                break
        return steps

    @property
    def _changes_bookmarks(self) -> bool:
        return self._no_bookmarks or self._initial_end is not None

    def _line(self, line: Line) -> list[Step]:
        body = line.body
        if line.type == "BOOKMARK":
            if self._no_bookmarks:
                return []
            if self._initial_end is not None:
                value = msgspec.json.encode(self._initial_end)
                body = body.replace(
                    b'"k8s.io/initial-events-end":"true"', b'"k8s.io/initial-events-end":%b' % value
                )
        steps = self._due(body)
        if steps and (isinstance(steps[-1], End) or steps[-1] == Pause(None)):
            return steps
        self._first = self._first or body
        if line.type != "BOOKMARK":
            self._objects += 1
        steps += self._out(body)
        # A place after the last line so far is reached now, not only when another line comes.
        following = [
            rule for rule in self._waiting if rule.do.kind not in ("torn_line", "duplicate", "delay")
        ]
        return steps + self._due(b"", only=following)

    def _due(self, body: bytes, *, only: Sequence[Rule] | None = None) -> list[Step]:
        """The faults whose place is reached; `body` is the line that comes next, empty if there is none yet."""
        steps: list[Step] = []
        for rule in list(self._waiting if only is None else only):
            if self._objects < (rule.when.event or 0) or (
                not body and rule.do.kind in ("torn_line", "duplicate")
            ):
                continue
            self._waiting.remove(rule)
            steps += self._act(rule, body)
            if steps and (isinstance(steps[-1], End) or steps[-1] == Pause(None)):
                break
        return steps

    def _act(self, rule: Rule, body: bytes) -> list[Step]:
        do = rule.do
        match do.kind:
            case "end":
                return [*self._release(), End(True)]
            case "drop":
                return [*self._release(), End(False)]
            case "silence":
                return [*self._release(), Pause(None)]
            case "delay":
                return [Pause(do.delay)]
            case "torn_line":
                return [*self._out(body[: do.torn_line]), *self._release(), End(True)]
            case "slow":
                self._slow = rule
            case "one_chunk":
                self._held = []
            case "duplicate":
                return self._out(body)
            case "stale":
                return self._out(self._first) if self._first else []
            case "line":
                return self._out((do.line or "").encode() + b"\n")
            case "oversize":
                return self._out(_oversize(do.oversize or 1))
            case "error":
                return [*self._out(_error(do.error or ErrorEvent())), *self._release(), End(True)]
        return []

    def _out(self, data: bytes) -> list[Step]:
        if self._held is not None:
            self._held.append(data)
            return self._release() if len(self._held) >= _IN_ONE_CHUNK else []
        if self._slow is not None and (slow := self._slow.do.slow) is not None:
            steps: list[Step] = []
            for start in range(0, len(data), slow.bytes):
                steps += [Send(data[start : start + slow.bytes]), Pause(slow.every)]
            return steps
        return [Send(data)]

    def _release(self) -> list[Step]:
        held, self._held = self._held, None
        return [Send(b"".join(held))] if held else []


def _oversize(size: int) -> bytes:
    head, tail = b'{"type":"MODIFIED","object":{"metadata":{"name":"', b'"}}}\n'
    return head + b"x" * max(0, size - len(head) - len(tail)) + tail


def _error(error: ErrorEvent) -> bytes:
    status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    if error.message:
        status["message"] = error.message
    if error.reason is not None:
        status["reason"] = error.reason
    if error.retry_after is not None:
        status["details"] = {"retryAfterSeconds": error.retry_after}
    if error.code is not None:
        status["code"] = error.code
    return msgspec.json.encode({"type": "ERROR", "object": status}) + b"\n"
