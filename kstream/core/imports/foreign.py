"""What the forms of import have in common: numbered lines in, changes in the order of their times out."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

import msgspec

from kstream.core.errors import ConfigError, MalformedError
from kstream.core.timeline.events import Kind, Verb, WatchEvent

GONE: Final = 100_000  # deleted objects that are remembered: what is told of them late is no news
OLD: Final = "older than what was known already"
_NUMBER: Final = re.compile(r"[0-9]{1,20}", re.ASCII)  # a version that says which of two is newer
MAX_LINE: Final = 16 * 1024 * 1024  # bytes of a line, or of an object that goes over several
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, MalformedError)

KINDS: Final[Mapping[str, Kind]] = {"Pod": Kind.POD, "Node": Kind.NODE, "Namespace": Kind.NAMESPACE}
RESOURCES: Final[Mapping[str, Kind]] = {
    "pods": Kind.POD,
    "nodes": Kind.NODE,
    "namespaces": Kind.NAMESPACE,
}


class Line(NamedTuple):
    """One line of a file, without its newline."""

    file: str
    number: int  # from 1
    raw: bytes
    whole: bool = True  # a newline followed; the last line of a file that is still written may be cut off

    def wrong(self, why: str) -> ConfigError:
        """The error for what cannot be read here."""
        return ConfigError(f"{self.file}, line {self.number}: {why}")


Lines = Callable[[], Iterable[Line]]
"""The lines of a file, as often as they are wanted."""


class Left:
    """What was left out, and why: told to whoever imports."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.cut: list[str] = []  # the files whose last line is cut off

    def count(self, why: str) -> None:
        self.counts[why] += 1


class Versions:
    """Which of two tellings of an object is older, by its resourceVersion: a number, of which the larger is newer."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}  # by uid
        self._gone: OrderedDict[str, None] = OrderedDict()

    def is_old(self, change: WatchEvent) -> bool:
        """Something newer was told of it already. What is told in no order of its own is asked for in turn."""
        uid = change.key.uid
        version = version_of(change)
        known = self._known.get(uid, 0)
        if version and version < known:
            return True
        self._known[uid] = max(version, known)
        if change.verb is not Verb.DELETED:
            self._gone.pop(uid, None)
            return False
        self._gone[uid] = None
        if len(self._gone) > GONE:
            del self._known[self._gone.popitem(last=False)[0]]
        return False


class Form(Protocol):
    """One way in which others record."""

    def __call__(self, files: Sequence[Lines], left: Left) -> Iterator[WatchEvent]:
        """The changes of all files, in the order of their times. Raises ConfigError with the file and the line."""
        ...


def seconds(stamp: str) -> float:
    """An RFC 3339 time as seconds since the Unix epoch. Raises ValueError for one that is none, or has no zone."""
    moment = datetime.fromisoformat(stamp)
    if moment.tzinfo is None:
        raise ValueError(f"{stamp!r} has no zone")
    return moment.timestamp()


def version_of(change: WatchEvent) -> int:
    """Its resourceVersion; 0 for one that says nothing of which of two is newer."""
    return int(change.version) if _NUMBER.fullmatch(change.version) else 0


def by_time(change: WatchEvent) -> float:
    return change.time
