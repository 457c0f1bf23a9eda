"""Listing and watching one resource, as a state machine without I/O (LISTWATCH 1-10, 12-14).

An adapter asks `next_request`, sends it, and feeds what comes: `receive_response` (status and headers), `receive_data`
as often as bytes arrive, then `receive_end`, or `receive_failure` in place of any of them. Each returns an Output.
Nothing is remembered of an object but its uid and version, and a page is forgotten before the next is asked for.

The events of a list are handed on page by page, so that memory stays bounded: each is a fact of its own. What a list
does not hold is deleted after its last page only, and InTouch is said then and not before. Until then the version to
resume from is "", so a process killed in the middle of a list begins with a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from kstream.core.errors import MalformedError
from kstream.core.kube import resources
from kstream.core.timeline.events import Verb, WatchEvent
from kstream.core.watching.backoff import Backoff, Randomness
from kstream.core.watching.inventory import Inventory
from kstream.core.watching.lines import MAX_LINE, LineSplitter
from kstream.core.watching.reflection import (
    Allowed,
    Answered,
    Broken,
    Failure,
    Forbidden,
    Freshness,
    Get,
    InTouch,
    Moment,
    Note,
    OutOfTouch,
    Output,
    Stream,
    Tally,
    Unauthorized,
    Wait,
    list_query,
    watch_query,
)
from kstream.core.watching.refusal import Meaning, means_busy, means_expired, read_refusal
from kstream.core.watching.superseded import Superseded

PAGE: Final = 500  # objects (LISTWATCH 1)
PAGE_WITHIN: Final = 60.0  # seconds for a page (LISTWATCH 9)
HEADERS_WITHIN: Final = 30.0
BOOKMARKS_WITHIN: Final = 70.0
INITIAL_WITHIN: Final = 30.0  # for the bookmark that ends the initial events (LISTWATCH 4)
WARMING: Final = (
    120.0  # seconds for which a 403 may come of an API server that has just started (LISTWATCH 12)
)
PROBE: Final = 300.0  # seconds between tries of what is forbidden for longer
SETTLED: Final = 1.0  # seconds after which a watch that was opened has told what it was late with
SHORT: Final = 1.0  # a watch that ends within this without an event has failed (LISTWATCH 7)
_REFUSAL: Final = 64 * 1024  # bytes of an error's body that are read
MAX_PAGE: Final = 256 << 20  # bytes of a page: 500 objects of half a megabyte
MAX_LIST: Final = 2 << 30  # bytes of a list without pages: 150,000 pods of 14 KB


class _Phase(StrEnum):
    LIST = "list"
    INITIAL = "initial"  # the initial events of a WatchList
    WATCH = "watch"


class Reflector:
    """One stream. Not to be used by two adapters at once."""

    def __init__(
        self,
        stream: Stream,
        inventory: Inventory,
        *,
        rng: Randomness,
        watch_list: bool = False,
    ) -> None:
        """It begins with a list, which is diffed against `inventory`, whatever is known: what an earlier life of the
        process knew may be of a history that a restore of etcd has ended, and only a list tells. `watch_list`: try
        LISTWATCH 4 first."""
        self.stream = stream
        self.inventory = inventory
        self._rng = rng
        self._backoff = Backoff(rng)
        self._version = ""
        self._watch_list = watch_list
        self._phase = _Phase.INITIAL if watch_list else _Phase.LIST
        self._not_before = 0.0
        self._token = ""  # the continue token of the page that is asked for
        self._paged = True
        self._sweep = 0
        self._listed = 0.0  # when the list that is under way began to be answered
        self._complete_before = 0.0  # up to when it was complete before the watch was opened
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._body: list[bytes] = []
        self._received = 0  # bytes of the body, kept or not
        self._lines = LineSplitter()
        self._superseded = Superseded()
        self._timeout = 0  # timeoutSeconds of the watch
        self._bookmarks = False
        self._opened = 0.0
        self._heard_lines = False
        self._heard_bytes = False
        self._wordless = 0  # watches in a row
        self._short = 0  # watches in a row that ended as soon as they had said something
        self._unauthorized = False
        self._denied_since: float | None = None  # monotonic
        self.restarted = False  # the response that is being received is of no interest any more
        self._tally = Tally()

    @property
    def patience(self) -> float:
        """Seconds without a byte after which an open watch is SILENT (LISTWATCH 9)."""
        if self._phase is _Phase.INITIAL:
            return INITIAL_WITHIN
        return BOOKMARKS_WITHIN if self._bookmarks else self._timeout + 30.0

    @property
    def denied(self) -> bool:
        """The API server said 403, the last time it was asked."""
        return self._denied_since is not None

    def complete_until(self, now: Moment) -> float:
        """Up to when all there was has been handed on, seconds since the Unix epoch, 0.0 for never (PROTOCOL 29).

        A watch that was opened tells first what happened while there was none: until then it is as it was before.
        """
        if self._phase is _Phase.WATCH and now.monotonic - self._opened < SETTLED:
            return self._complete_before
        return self._tally.complete

    def freshness(self, now: Moment) -> Freshness:
        state = "watching" if self._phase is _Phase.WATCH else "listing"
        if self.denied:
            state = "denied"
        elif self._not_before > now.monotonic:
            state = "waiting"
        objects = self.inventory.count(self.stream.namespace)
        return self._tally.freshness(
            self.stream, state=state, version=self._version, objects=objects, failures=self._backoff.failures
        )

    def restart(self) -> None:
        """Others have told of the objects meanwhile: list before watching on."""
        self._relist()
        self.restarted = True

    def next_request(self, now: Moment) -> Get | Wait:
        if self._not_before > now.monotonic:
            return Wait(self._not_before - now.monotonic)
        path = self.stream.path
        self._status = 0
        self.restarted = False
        if self._phase is _Phase.LIST:
            if not self._token:
                self._begin_list()
            query = list_query(limit=PAGE if self._paged else 0, token=self._token)
            return Get(path, query, watch=False, within=PAGE_WITHIN)
        self._timeout = 300 + int(301 * self._rng.random())
        if self._phase is _Phase.INITIAL:
            self._begin_list()
        return Get(path, watch_query(self._version, timeout=self._timeout), watch=True, within=HEADERS_WITHIN)

    def _begin_list(self) -> None:
        self._tally.lists += 1
        self._sweep = self.inventory.begin_sweep()

    def receive_response(self, status: int, headers: Mapping[str, str], now: Moment) -> Output:
        """The head of the response; `headers` with names in lower case."""
        self._tally.last_byte = now.time
        self._status = status
        self._headers = headers
        self._body.clear()
        self._received = 0
        if status != 200:
            return Output()
        self._unauthorized, self._denied_since = False, None
        notes: list[Note] = [Answered(), Allowed(self._verb)]
        version = None
        if not self._token:
            self._listed = now.time
        if self._phase is not _Phase.LIST:
            self._tally.watches += 1
            self._opened = now.monotonic
            self._heard_lines = self._heard_bytes = False
            self._lines = LineSplitter(MAX_LINE)
            if self._phase is _Phase.WATCH:
                self._complete_before = self._tally.complete
                self._tally.complete = now.time
                notes.append(InTouch())
            else:
                version = ""
        return Output(version=version, notes=notes)

    def receive_data(self, data: bytes, now: Moment) -> Output:
        self._tally.last_byte = now.time
        if self._status != 200 or self._phase is _Phase.LIST:
            self._received += len(data)
            if self._status != 200:
                if self._received - len(data) < _REFUSAL:
                    self._body.append(data)
                return Output()
            if self._received > (most := MAX_PAGE if self._paged else MAX_LIST):
                self._body.clear()
                return self._failed(now, f"a page of the list is longer than {most >> 20} MiB")._replace(
                    close=True
                )
            self._body.append(data)
            return Output()
        self._heard_bytes = True
        if self._phase is _Phase.WATCH:
            self._tally.complete = now.time
        self._wordless = 0
        lines = self._lines.feed(data)
        if self._phase is not _Phase.INITIAL:
            return self._receive_lines(lines, now, [])
        # What a WatchList begins with is taken in together: with 150,000 pods it shows.
        listed = resources.decode_added(self.stream.kind, lines)
        return self._receive_lines(lines[len(listed) :], now, self._see(listed, now, sweep=self._sweep))

    def receive_end(self, now: Moment) -> Output:
        """The response ended as it should."""
        if self._status != 200:
            return self._refused(now)
        if self._phase is _Phase.LIST:
            return self._receive_page(now)
        if self._phase is _Phase.INITIAL:
            return self._list_instead()
        lasted = now.monotonic - self._opened
        if not self._heard_lines and lasted < SHORT:
            return self._failed(now, "the watch ended as soon as it began")
        self._short = self._short + 1 if lasted < SHORT else 0
        if self._short > 1:
            # A word and an end, over and over, is no reason to ask thousands of times a second.
            self._not_before = max(self._not_before, self._opened + SHORT)
        if lasted > BOOKMARKS_WITHIN:
            self._doubt_silence()
        return Output()

    def receive_failure(self, failure: Failure, detail: str, now: Moment) -> Output:
        """The request was not answered, or not to its end. `detail` is for people."""
        opened = self._status == 200
        if self._phase is _Phase.INITIAL and failure is not Failure.UNREACHED:
            self._relist(watch_list=False)
            if opened:
                return Output()
        if not opened or failure is Failure.UNREACHED or self._phase is _Phase.LIST:
            return self._failed(now, detail)
        if failure is Failure.SILENT:
            self._doubt_silence()  # and connect again at once: if that fails, it is out of touch
            return Output()
        if not self._heard_lines and now.monotonic - self._opened < SHORT:
            return self._failed(now, detail)
        return Output()

    def _doubt_silence(self) -> None:
        """A watch without a word, where bookmarks are to be expected, may be from a version that the server has yet
        to reach, after a restore of etcd: only a list tells. A server that is just quiet is listed ever more seldom.
        """
        if self._bookmarks and not self._heard_bytes:
            self._wordless += 1
            if self._wordless & (self._wordless - 1) == 0:  # the 1st, 2nd, 4th, 8th, … in a row
                self._relist()

    @property
    def _verb(self) -> str:
        return "list" if self._phase is _Phase.LIST else "watch"

    def _relist(self, *, watch_list: bool | None = None, paged: bool = True) -> None:
        """Forget the version, not the objects: they are what the list is diffed against."""
        if watch_list is not None:
            self._watch_list = watch_list
        self._version = ""
        self._token = ""
        self._paged = paged
        self._phase = _Phase.INITIAL if self._watch_list else _Phase.LIST

    def _list_instead(self) -> Output:
        self._relist(watch_list=False)
        return Output(close=True)

    def _receive_page(self, now: Moment) -> Output:
        try:
            page = resources.decode_page(self.stream.kind, b"".join(self._body))
        except MalformedError as error:
            return self._broken(now, str(error))
        self._body.clear()
        if page.next and page.next == self._token:
            self._relist(watch_list=False, paged=False)
            return self._broken(now, "the API server gave the same page of a list twice")
        events = self._see(page.items, now, sweep=self._sweep)
        if page.next:
            self._token = page.next
            return self._handed(events, "", now)
        events += self._complete(page.version, now)
        return self._handed(events, page.version, now, InTouch())

    def _complete(self, version: str, now: Moment) -> list[WatchEvent]:
        """Everything there is has been seen: what was not is gone (LISTWATCH 8)."""
        self._version = version
        self._phase = _Phase.WATCH
        self._tally.complete = self._complete_before = self._listed
        self._paged = True
        self._superseded.relisted()
        absent = self.inventory.end_sweep(self._sweep, namespace=self.stream.namespace, time=now.time)
        return self._superseded.noted(absent)

    def _receive_lines(
        self, lines: Iterable[bytes | memoryview], now: Moment, events: list[WatchEvent]
    ) -> Output:
        notes: list[Note] = []
        before = self._version
        sweep = self._sweep if self._phase is _Phase.INITIAL else 0
        for raw in lines:
            self._heard_lines = True
            try:
                line = resources.decode_line(self.stream.kind, raw)
            except MalformedError as error:
                return self._merge(events, self._broken(now, str(error)), now)
            if line.status is not None:
                return self._merge(events, self._watch_error(line.status, now), now)
            if (item := line.decoded) is not None:
                known = self.inventory.version(item.key)
                if not sweep and self._superseded.passed(item, known):
                    self._tally.suppressed += 1
                    continue
                if not sweep and self._contradicts(line.type, item, known):
                    cause = f"the watch told of {item.key.name} what cannot follow from what was told before"
                    return self._merge(events, self._broken(now, cause), now)
                if line.type == Verb.DELETED:
                    events += self._superseded.noted(self.inventory.drop(item, time=now.time))
                else:
                    events += self._see((item,), now, sweep=sweep)
            elif line.type == "BOOKMARK":
                self._bookmarks = True
            if line.initial_end and self._phase is _Phase.INITIAL and line.version:
                events += self._complete(line.version, now)
                notes.append(InTouch())
                sweep = 0
            elif line.version and self._phase is _Phase.WATCH:
                self._version = line.version
        if self._lines.oversize:
            cause = f"a line of the watch is longer than {MAX_LINE // 2**20} MiB"
            return self._merge(events, self._broken(now, cause), now)
        if self._phase is _Phase.INITIAL and now.monotonic - self._opened > INITIAL_WITHIN:
            return self._merge(events, self._list_instead(), now)
        version = self._version if self._version != before else None
        return self._handed(events, version, now, *notes)

    def _contradicts(self, verb: str, item: resources.Decoded, known: str) -> bool:
        """Another history goes on here, after a restore of etcd: an object that is gone is back, one that nobody told
        of is changed, one that is there is added once more (LISTWATCH 8)."""
        if self.stream.only and item.key.name not in self.stream.only:
            return False
        if self._superseded.gone(item.key.uid):
            return verb != Verb.DELETED
        if verb == Verb.MODIFIED:
            return not known
        return verb == Verb.ADDED and known not in ("", item.version)

    def _watch_error(self, status: resources.Status, now: Moment) -> Output:
        """An ERROR in the stream (LISTWATCH 5, 6)."""
        said = f"{status.code or 'ERROR'} {status.reason} {status.message}".strip()
        if means_busy(status):
            return self._throttled(now, said, status.retry_after)._replace(close=True)
        if means_expired(status):
            return self._broken(now, said)
        if self._phase is _Phase.INITIAL:
            return self._list_instead()  # a planned fall-back is no error
        return self._broken(now, said, retry_after=status.retry_after)

    def _refused(self, now: Moment) -> Output:
        """Another status than 200."""
        refusal = read_refusal(self._status, self._headers, b"".join(self._body))
        self._body.clear()
        cause, retry_after = refusal.cause, refusal.retry_after
        notes: tuple[Note, ...] = (Answered(),) if refusal.answered else ()
        match refusal.meaning:
            case Meaning.UNAUTHORIZED:
                again, self._unauthorized = self._unauthorized, True
                wait = self._backoff.failed(now.monotonic, first_at_once=True)
                self._not_before = now.monotonic + (wait if again else 0.0)
                return Output(notes=[Unauthorized(), OutOfTouch(cause)] if again else [Unauthorized()])
            case Meaning.FORBIDDEN if self._phase is not _Phase.INITIAL:
                return self._forbidden(now, cause, notes)
            case Meaning.EXPIRED if self._phase is _Phase.LIST:
                self._relist(watch_list=False, paged=not self._token)
                return self._failed(now, cause, first_at_once=True, notes=notes)
            case Meaning.EXPIRED:
                return self._broken(now, cause, notes=notes)
            case Meaning.BUSY:
                return self._throttled(now, cause, retry_after, notes)
        if self._phase is _Phase.INITIAL:
            # Forbidden, too: a WatchList needs both permissions, a plain list says which one is missing.
            self._relist(watch_list=False)
            return Output(notes=notes)
        if self._phase is _Phase.LIST:
            if refusal.meaning is Meaning.WRONG:
                self._relist()
            return self._failed(now, cause, retry_after=retry_after, notes=notes)
        if refusal.meaning is Meaning.AWAY:
            return self._failed(now, cause, retry_after=retry_after, notes=notes)
        return self._broken(now, cause, retry_after=retry_after, notes=notes)

    def _broken(
        self, now: Moment, cause: str, *, retry_after: float | None = None, notes: tuple[Note, ...] = ()
    ) -> Output:
        """A relist repairs it, the first one at once."""
        self._relist(paged=self._paged)
        wait = self._backoff.failed(now.monotonic, retry_after=retry_after, first_at_once=True)
        self._not_before = now.monotonic + wait
        self._denied_since = None
        # A list that has to wait leaves clients with what was true before whatever broke.
        late: tuple[Note, ...] = (OutOfTouch(cause),) if wait else ()
        return Output(version="", notes=[*notes, Broken(cause), *late], close=True)

    def _forbidden(self, now: Moment, cause: str, notes: tuple[Note, ...]) -> Output:
        """What RBAC says no to is kept as it is; an API server says no to everything until its caches are filled."""
        if self._denied_since is None:
            self._denied_since = now.monotonic
        if now.monotonic - self._denied_since < WARMING:
            wait = self._backoff.failed(now.monotonic)
        else:
            wait = PROBE * (1.0 + 0.1 * self._rng.random())
        self._not_before = now.monotonic + wait
        return Output(notes=[*notes, Forbidden(self._verb, cause)])

    def _failed(
        self,
        now: Moment,
        cause: str,
        *,
        retry_after: float | None = None,
        first_at_once: bool = False,
        notes: tuple[Note, ...] = (),
    ) -> Output:
        """The same again, later (LISTWATCH 6, 7, 10, 14)."""
        wait = self._backoff.failed(now.monotonic, retry_after=retry_after, first_at_once=first_at_once)
        self._not_before = now.monotonic + wait
        return Output(notes=[*notes, OutOfTouch(cause)])

    def _throttled(
        self, now: Moment, cause: str, retry_after: float | None, notes: tuple[Note, ...] = ()
    ) -> Output:
        """429 (LISTWATCH 6). Once is an answer, and no outage; what goes on leaves clients with old state."""
        output = self._failed(now, cause, retry_after=retry_after, notes=notes)
        return output if self._backoff.failures > 1 else output._replace(notes=notes)

    def _see(self, items: Sequence[resources.Decoded], now: Moment, *, sweep: int) -> list[WatchEvent]:
        if self.stream.only:
            items = [item for item in items if item.key.name in self.stream.only]
        self._superseded.listed(items if sweep else ())
        events = self._superseded.noted(self.inventory.see(items, time=now.time, sweep=sweep))
        self._tally.suppressed += max(0, len(items) - len(events))
        return events

    def _merge(self, events: list[WatchEvent], output: Output, now: Moment) -> Output:
        """What came before an error is handed on; its version only if the error leaves it standing."""
        version = output.version if output.version is not None else self._version
        return self._handed(events, version, now)._replace(notes=output.notes, close=True)

    def _handed(self, events: list[WatchEvent], version: str | None, now: Moment, *notes: Note) -> Output:
        if events:
            self._tally.events += len(events)
            self._tally.last_event = now.time
        return Output(events, version, notes)
