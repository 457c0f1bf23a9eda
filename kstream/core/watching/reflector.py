"""Listing and watching one resource, as a state machine without I/O (LISTWATCH 1-10, 12-14).

An adapter asks `next_request`, sends it, and feeds what comes: `receive_response` (status and headers), `receive_data`
as often as bytes arrive, then `receive_end`, or `receive_failure` in place of any of them. Each returns an Output.
Nothing is remembered of an object but its uid and version, and a page is forgotten before the next is asked for.

The events of a list are handed on page by page, so that memory stays bounded: each is a fact of its own. What a list
does not hold is deleted after its last page only, and InTouch is said then and not before. Until then the version to
resume from is "", so a process killed in the middle of a list begins with a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, auto

from kstream.core.errors import MalformedError
from kstream.core.kube import resources
from kstream.core.timeline.events import WatchEvent
from kstream.core.watching.backoff import Randomness
from kstream.core.watching.completeness import FULL, Completeness
from kstream.core.watching.contact import RESTORED, Contact
from kstream.core.watching.history import History
from kstream.core.watching.inventory import Inventory
from kstream.core.watching.lines import MAX_LINE
from kstream.core.watching.listing import Listing
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
    list_get,
    watch_get,
)
from kstream.core.watching.refusal import Meaning, means_busy, means_expired, read_refusal
from kstream.core.watching.response import MAX_LIST, MAX_PAGE, Response
from kstream.core.watching.retry import Retry
from kstream.core.watching.sightings import Sightings
from kstream.core.watching.silence import BOOKMARKS_WITHIN, INITIAL_WITHIN, SHORT, Silence


class _Phase(Enum):
    LIST = auto()
    INITIAL = auto()  # the initial events of a WatchList
    WATCH = auto()


class Reflector:
    """One stream. Not to be used by two adapters at once."""

    def __init__(
        self, stream: Stream, inventory: Inventory, *, contact: Contact, rng: Randomness, watch_list: bool
    ) -> None:
        """It begins with a list, diffed against `inventory`: what an earlier life of the process knew may be of a
        history that a restore of etcd has ended. `contact`: of the API server. `watch_list`: try LISTWATCH 4 first."""
        self.stream = stream
        self.inventory = inventory
        self.history = History(stream, contact)
        self._rng = rng
        self.retry = Retry(rng)
        self._version = ""
        self._watch_list = watch_list
        self._phase = _Phase.INITIAL if watch_list else _Phase.LIST
        self._listing = Listing()
        self._response: Response | None = None
        self._timeout = 0  # timeoutSeconds of the watch
        self._silence = Silence()
        self.restarted = False  # the response that is being received is of no interest any more
        self.tally = Tally()
        self._sightings = Sightings(stream, inventory, self.tally)
        self.completeness = Completeness()

    @property
    def patience(self) -> float:
        """Seconds without a byte after which an open watch is SILENT (LISTWATCH 9)."""
        return self._silence.patience(self._timeout, initial=self._phase is _Phase.INITIAL)

    @property
    def denied(self) -> bool:
        """The API server said 403, the last time it was asked."""
        return self.retry.denied

    def complete_until(self, now: Moment) -> float:
        """Up to when all there was has been handed on, monotonic seconds, NEVER (completeness.py) before that."""
        return self.completeness.until(now)

    def freshness(self, now: Moment) -> Freshness:
        going_on = "watching" if self._phase is _Phase.WATCH else "listing"
        state = "denied" if self.denied else "waiting" if self.retry.wait(now.monotonic) else going_on
        objects = self.inventory.count(self.stream.namespace)
        return self.tally.freshness(
            self.stream, state=state, version=self._version, objects=objects, failures=self.retry.failures
        )

    def restart(self) -> None:
        """Others have told of the objects meanwhile: list before watching on."""
        self._relist(paged=self._listing.paged)
        self.restarted = True

    def next_request(self, now: Moment) -> Get | Wait:
        if wait := self.retry.wait(now.monotonic):
            return Wait(wait)
        self._response, self.restarted = None, False
        self.history.asked(now.monotonic)
        if self.history.doubtful(now.monotonic, watch=self._phase is _Phase.WATCH):
            self.inventory.doubt()
            self._relist(paged=self._listing.paged)
        if self._phase is not _Phase.WATCH and not self._listing.token:
            self.tally.lists += 1
            self._listing.begin(self.inventory.begin_sweep(), now.monotonic)
        if self._phase is _Phase.LIST:
            return list_get(self.stream, paged=self._listing.paged, token=self._listing.token)
        self._timeout = 300 + int(301 * self._rng.random())
        return watch_get(self.stream, self._version, timeout=self._timeout)

    def receive_response(self, status: int, headers: Mapping[str, str], now: Moment) -> Output:
        """The head of the response; `headers` with names in lower case."""
        self.tally.hear(now)
        self._response = Response(status, headers, now, most=MAX_PAGE if self._listing.paged else MAX_LIST)
        self.history.answered(now.monotonic, granted=self._response.ok)
        if not self._response.ok:
            return Output()
        if self.history.granted(now.monotonic, watch=self._phase is _Phase.WATCH):
            self.inventory.doubt()
            if self._phase is _Phase.WATCH:
                self.restart()
                return Output(close=True)
        self.retry.answered()
        notes: list[Note] = [Answered(), Allowed(self._verb)]
        version = None
        if not self._listing.token:
            self.completeness.listing(now)
        if self._phase is not _Phase.LIST:
            self.tally.watches += 1
            if self._phase is _Phase.WATCH:
                self._opened(now)
                notes.append(InTouch())
            else:
                version = ""
        return Output(version=version, notes=notes)

    def receive_data(self, data: bytes, now: Moment) -> Output:
        response = self._received()
        self.tally.hear(now)
        self.history.heard(now.monotonic)
        if not response.ok or self._phase is _Phase.LIST:
            if response.keep(data):
                return Output()
            cause = f"a page of the list is longer than {response.most >> 20} MiB"
            return self._failed(now, cause)._replace(close=True)
        response.heard_bytes = True
        if len(data) >= FULL:
            self.completeness.behind(now)
        self._silence.broken()
        lines = response.lines.feed(data)
        if self._phase is not _Phase.INITIAL:
            return self._receive_lines(lines, now, [])
        # What a WatchList begins with is taken in together: with 150,000 pods it shows.
        listed = resources.decode_added(self.stream.kind, lines)
        return self._receive_lines(
            lines[len(listed) :], now, self._sightings.seen(listed, now, sweep=self._listing.sweep)
        )

    def receive_end(self, now: Moment) -> Output:
        """The response ended as it should."""
        response, self._response = self._received(), None
        self._ended()
        self.history.heard(now.monotonic)
        if not response.ok:
            return self._refused(response, now)
        if self._phase is _Phase.LIST:
            return self._receive_page(response, now)
        if self._phase is _Phase.INITIAL:
            return self._list_instead()
        lasted = now.monotonic - response.opened
        if not response.heard_lines and lasted < SHORT:
            return self._failed(now, "the watch ended as soon as it began")
        if self._silence.hasty(lasted):
            self.retry.hold(response.opened + SHORT)
        if lasted > BOOKMARKS_WITHIN:
            self._doubt(response)
        return Output()

    def receive_failure(self, failure: Failure, detail: str, now: Moment) -> Output:
        """The request was not answered, or not to its end. `detail` is for people."""
        response, self._response = self._response, None
        self._ended()
        if response is not None:
            self.history.heard(now.monotonic)
        if self._phase is _Phase.INITIAL and failure is not Failure.UNREACHED:
            self._relist(watch_list=False)
            if response is not None and response.ok:
                return Output()
        if response is None or not response.ok or failure is Failure.UNREACHED or self._phase is _Phase.LIST:
            return self._failed(now, detail, away=True)
        if failure is Failure.SILENT:
            self.history.silent(now.monotonic)
            self._doubt(response)  # and connect again at once: if that fails, it is out of touch
            return Output()
        if not response.heard_lines and now.monotonic - response.opened < SHORT:
            return self._failed(now, detail, away=True)
        return Output()

    def _opened(self, now: Moment) -> None:
        self.completeness.opened(now)
        self.history.opened()

    def _ended(self) -> None:
        self.completeness.ended()
        self.history.ended()

    def _received(self) -> Response:
        assert self._response is not None, "the head of a response comes before its body and its end"
        return self._response

    def _doubt(self, response: Response) -> None:
        if self._silence.doubtful(heard=response.heard_bytes):
            self._relist()

    @property
    def _verb(self) -> str:
        return "list" if self._phase is _Phase.LIST else "watch"

    def _relist(self, *, watch_list: bool | None = None, paged: bool = True) -> None:
        """Forget the version, not the objects: they are what the list is diffed against."""
        self._watch_list = self._watch_list if watch_list is None else watch_list
        self._version = ""
        self._listing.again(paged=paged)
        self._ended()
        self._phase = _Phase.INITIAL if self._watch_list else _Phase.LIST

    def _list_instead(self) -> Output:
        self._relist(watch_list=False)
        return Output(close=True)

    def _receive_page(self, response: Response, now: Moment) -> Output:
        try:
            page = resources.decode_page(self.stream.kind, response.body())
        except MalformedError as error:
            return self._broken(now, str(error))
        repeats = page.next == self._listing.token
        if page.next and (cause := self._listing.page(len(page.items), page.next)):
            self._relist(watch_list=False, paged=not repeats)
            return self._broken(now, cause)
        events = self._sightings.seen(page.items, now, sweep=self._listing.sweep)
        if page.next:
            lasting = self._listing.lasting(now.monotonic)
            return self._handed(events, "", now, *([OutOfTouch(lasting)] if lasting else ()))
        events += self._complete(page.version, now)
        return self._handed(events, page.version, now, InTouch())

    def _complete(self, version: str, now: Moment) -> list[WatchEvent]:
        """Everything there is has been seen: what was not is gone (LISTWATCH 8)."""
        self._version = version
        self._phase = _Phase.WATCH
        self.completeness.listed()
        self._listing.paged = True
        return self._sightings.complete(self._listing.sweep, now)

    def _receive_lines(
        self, lines: Iterable[bytes | memoryview], now: Moment, events: list[WatchEvent]
    ) -> Output:
        notes: list[Note] = []
        before, watching = self._version, self._phase is _Phase.WATCH
        sweep = self._listing.sweep if self._phase is _Phase.INITIAL else 0
        response = self._received()
        for raw in lines:
            response.heard_lines = True
            try:
                line = resources.decode_line(self.stream.kind, raw)
            except MalformedError as error:
                return self._merge(events, self._broken(now, str(error)), now)
            if line.status is not None:
                return self._merge(events, self._watch_error(line.status, now), now)
            if (item := line.decoded) is not None:
                if not sweep and self._sightings.past(item):
                    continue
                told = self._sightings.told(line.type, item, now, sweep=sweep)
                if told is None:
                    cause = f"the watch told of {item.key.name} what cannot follow from what was told before"
                    return self._merge(events, self._broken(now, cause), now)
                events += told
            elif line.type == "BOOKMARK":
                self._silence.bookmarked()
            if line.initial_end and self._phase is _Phase.INITIAL and line.version:
                events += self._complete(line.version, now)
                self._opened(now)  # what began as a list is a watch from here on
                notes.append(InTouch())
                sweep = 0
            elif line.version and self._phase is _Phase.WATCH:
                self._version = line.version
        if response.lines.oversize:
            cause = f"a line of the watch is longer than {MAX_LINE // 2**20} MiB"
            return self._merge(events, self._broken(now, cause), now)
        if self._phase is _Phase.INITIAL and now.monotonic - response.opened > INITIAL_WITHIN:
            return self._merge(events, self._list_instead(), now)
        if watching:
            self.completeness.heard(now)
        version = self._version if self._version != before else None
        return self._handed(events, version, now, *notes)

    def _watch_error(self, status: resources.Status, now: Moment) -> Output:
        """An ERROR in the stream (LISTWATCH 5, 6)."""
        said = f"{status.code or 'ERROR'} {status.reason} {status.message}".strip()
        if means_busy(status):
            return self._throttled(now, said, status.retry_after)
        if means_expired(status):
            return self._broken(now, said)
        if self._phase is _Phase.INITIAL:
            return self._list_instead()  # a planned fall-back is no error
        return self._broken(now, said, retry_after=status.retry_after)

    def _refused(self, response: Response, now: Moment) -> Output:
        """Another status than 200."""
        refusal = read_refusal(response.status, response.headers, response.body())
        cause, retry_after = refusal.cause, refusal.retry_after
        notes: tuple[Note, ...] = (Answered(),) if refusal.answered else ()
        match refusal.meaning:
            case Meaning.UNAUTHORIZED:
                again = self.retry.unauthorized(now.monotonic)
                self.history.unanswered()
                return Output(notes=[Unauthorized(), OutOfTouch(cause)] if again else [Unauthorized()])
            case Meaning.FORBIDDEN if self._phase is not _Phase.INITIAL:
                self.retry.forbidden(now.monotonic)  # what is known is kept as it is
                return Output(notes=[*notes, Forbidden(self._verb, cause)])
            case Meaning.EXPIRED if self._phase is _Phase.LIST:
                self._relist(watch_list=False, paged=not self._listing.token)
                return self._failed(now, cause, first_at_once=True, notes=notes)
            case Meaning.EXPIRED:
                return self._broken(now, cause, notes=notes)
            case Meaning.BUSY:
                return self._throttled(now, cause, retry_after, notes)
        if self._phase is _Phase.INITIAL:
            # Forbidden, too: a WatchList needs both permissions, a plain list says which one is missing.
            self._relist(watch_list=False)
            return Output(notes=notes)
        away = refusal.meaning is Meaning.AWAY
        if self._phase is _Phase.LIST or away:
            if refusal.meaning is Meaning.WRONG:
                self._relist()
            return self._failed(now, cause, retry_after=retry_after, notes=notes, away=away)
        return self._broken(now, cause, retry_after=retry_after, notes=notes)

    def _broken(
        self, now: Moment, cause: str, *, retry_after: float | None = None, notes: tuple[Note, ...] = ()
    ) -> Output:
        """A relist repairs it, the first one at once; one that has to wait leaves clients with what was before."""
        self._relist(paged=self._listing.paged)
        wait = self.retry.failed(now.monotonic, retry_after=retry_after, first_at_once=True)
        self.retry.forget_denial()
        late: tuple[Note, ...] = (OutOfTouch(cause),) if wait else ()
        return Output(version="", notes=[*notes, Broken(cause), *late])

    def _failed(
        self,
        now: Moment,
        cause: str,
        *,
        retry_after: float | None = None,
        first_at_once: bool = False,
        notes: tuple[Note, ...] = (),
        away: bool = False,
    ) -> Output:
        """The same again, later (LISTWATCH 6, 7, 10, 14)."""
        self.retry.failed(now.monotonic, retry_after=retry_after, first_at_once=first_at_once, away=away)
        if away:
            self.history.unanswered()
        return Output(notes=[*notes, OutOfTouch(cause)])

    def _throttled(
        self, now: Moment, cause: str, retry_after: float | None, notes: tuple[Note, ...] = ()
    ) -> Output:
        """429 (LISTWATCH 6). Once is an answer, and no outage; what lasts leaves clients with old state."""
        told = self._failed(now, cause, retry_after=retry_after, notes=notes)
        lasts = self.retry.failures > 1 or self.retry.wait(now.monotonic) >= RESTORED
        return told if lasts else told._replace(notes=notes)

    def _merge(self, events: list[WatchEvent], output: Output, now: Moment) -> Output:
        """What came before an error, the end of a watch, is handed on; its version only if the error leaves it so."""
        self._ended()
        return self._handed(events, self._version, now)._replace(notes=output.notes, close=True)

    def _handed(self, events: list[WatchEvent], version: str | None, now: Moment, *notes: Note) -> Output:
        if events:
            self.tally.events += len(events)
            self.tally.last_event = now.time
        return Output(events, version, notes)
