"""Logs of one history that overlap or follow each other, as one: each of them checked against those before it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from kstream.core.errors import LogMismatchError
from kstream.core.timeline.events import Event
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.terms import Term
from kstream.logs.making import Start
from kstream.logs.passage import Passage, passage
from kstream.logs.reading import Status
from kstream.logs.refusals import identified


class _Part(NamedTuple):
    """The events with after < seq <= upto are taken from this log."""

    of: Passage
    after: int
    upto: int


class Merged:
    """What is in all of them together. Every call may raise LogError, of the log that it is about."""

    def __init__(self, logs: Sequence[Passage]) -> None:
        """Raises LogMismatchError for logs of other histories, and for a gap between two."""
        # Of those that begin together the longest first: the others are within it.
        self._logs = sorted(logs, key=lambda each: (each.start.seq, -each.status.head))
        self._first = self._logs[0]
        self._cluster: ClusterInfo | None = None
        self._parts: list[_Part] = []
        self._twice: list[tuple[Passage, int, int]] = []  # what is in a log and in the parts before it
        head = self._first.start.seq
        for log in self._logs:
            begin, end = log.start.seq, log.status.head
            self._check_history(log)
            if self._parts:
                if begin > head:
                    raise LogMismatchError(
                        f"{log.path}: it begins with event {begin + 1}, and what is before it ends with {head}; add the"
                        f" log that has the events from {head + 1} to {begin}"
                    )
                self._twice.append((log, begin, min(head, end)))
            if end > head or not self._parts:
                self._parts.append(_Part(log, head, end))
                head = end

    @property
    def compared(self) -> int:
        """How many events `check` looks at."""
        return sum(len(log.start.refs) + upto - after for log, after, upto in self._twice)

    @property
    def status(self) -> Status:
        """Of the whole: what is true of its end is what the log says that reaches it."""
        last = self._parts[-1].of.status
        meta = {key: value for log in self._logs for key, value in log.status.meta.items()}
        return last._replace(
            oldest=self._first.start.seq + 1,
            terms=self._terms(),
            cluster=last.cluster or self._cluster,
            meta={**meta, **last.meta},
        )

    def start(self) -> Start:
        """What there was at the beginning of the first."""
        begin = self._first.start
        return Start(begin.seq, begin.time, self._first.state(begin.seq))

    @property
    def objects(self) -> int:
        """How many there were then."""
        return len(self._first.start.refs)

    def events(self) -> Iterator[Event]:
        """All of them, in order."""
        return itertools.chain.from_iterable(part.of.events(part.after, part.upto) for part in self._parts)

    def check(self) -> Iterator[Event]:
        """Compare what is there twice; each event that is. Raises LogMismatchError where two say something else."""
        for log, after, upto in self._twice:
            others = [part for part in self._parts if part.of is not log]
            before = next(part for part in others if part.after <= after <= part.upto)
            yield from _same(log, log.state(after), [before], before.of.state(after))
            there = (
                event
                for part in others
                for event in part.of.events(max(part.after, after), min(part.upto, upto))
            )
            yield from _same(log, log.events(after, upto), others, there)

    def _check_history(self, log: Passage) -> None:
        one, other = self._first, log
        if one.status.epoch != other.status.epoch:
            raise LogMismatchError(
                f"{other.path}: it is of another history than {one.path} (epoch {other.status.epoch}, not"
                f" {one.status.epoch}); merge logs that were cut, trimmed or copied from one"
            )
        if (cluster := other.status.cluster) is not None:
            self._cluster = identified(self._cluster, cluster, f"{one.path}: the event log")

    def _terms(self) -> list[Term]:
        """Of each part its own, so that nobody who was told of what is not here goes on from it."""
        found: list[Term] = []
        for number, part in enumerate(self._parts):
            terms = part.of.status.terms
            for term, following in zip(terms, [*terms[1:], None], strict=True):
                if number and following is not None and following.first <= part.after + 1:
                    continue  # it ended before this part
                if number + 1 < len(self._parts) and term.first > part.upto:
                    continue  # it began after it
                if found and term.id == found[-1].id:
                    continue
                first = max(term.first, part.after + 1) if number else term.first
                again = any(term.id == each.id for each in found)
                found.append(Term(f"{term.id}.{first}" if again else term.id, first))
        return found


@contextmanager
def merged(paths: Iterable[Path]) -> Iterator[Merged]:
    """These logs, each as it is now; none is changed. Raises LogError."""
    with ExitStack() as opened:
        yield Merged([opened.enter_context(passage(path)) for path in paths])


def _same(
    log: Passage, told: Iterable[Event], parts: Sequence[_Part], there: Iterable[Event]
) -> Iterator[Event]:
    for mine, its in itertools.zip_longest(told, there):
        if mine is None or mine != its:
            seq = min(each.seq for each in (mine, its) if each is not None)
            other = next((part.of for part in parts if part.after < seq <= part.upto), parts[0].of)
            terms = [_term(each.status.terms, seq) for each in (log, other)]
            why = (
                f"both of the term {terms[0]}: one of them is not as it was written"
                if terms[0] == terms[1]
                else f"of the terms {terms[0]} and {terms[1]}: one of them lost its end, and went on without it"
            )
            raise LogMismatchError(
                f"{log.path}: its event {seq} is not that of {other.path} ({why}); leave one of them out, or cut it"
                " before that event"
            )
        yield mine


def _term(terms: Sequence[Term], seq: int) -> str:
    return next((term.id for term in reversed(terms) if term.first <= seq), terms[0].id)
