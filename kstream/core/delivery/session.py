"""One client's protocol machine: input in; frames, wishes and the end of the connection out. No I/O, no clock.

A session is a lane (a cursor into the backlog and a bucket) and a few small queues. It holds no events of its own, so a
client that stops reading costs the same as one that reads. Sessions in lock-step ride in one lane; whatever concerns
one of them alone makes it step out first. `now` is monotonic seconds, `time` the time of the timeline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kstream.core.delivery import wire
from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import Filter
from kstream.core.delivery.frames import PING, text_frame
from kstream.core.delivery.lane import FOREVER, Lane
from kstream.core.delivery.limits import Allowance, Limits, TokenBucket
from kstream.core.delivery.snapshot import Snapshot
from kstream.core.delivery.tally import Tally
from kstream.core.delivery.urgent import Urgent, Word
from kstream.core.delivery.view import View
from kstream.core.errors import DivergedError, InvalidMessageError
from kstream.core.timeline.health import ErrorCode, Fault
from kstream.core.timeline.timepoint import timestamp

_REST = 0.05  # seconds for which no more is read of a client that is past its limit, at the least
_LONGEST_REST = 0.5  # and at the most


class Close(NamedTuple):
    """The connection is to end with this WebSocket code; `abort` when waiting for the client is pointless."""

    code: int
    reason: str
    abort: bool = False


class Session:
    """What one client has got, is due, and may still do."""

    __slots__ = (
        "_abuse_since",
        "_abused_at",
        "_backlog",
        "_bits",
        "_inbound",
        "_lane",
        "_limits",
        "_next_ping",
        "_parts",
        "_pong_by",
        "_urgent",
        "_wait",
        "_warned_at",
        "answers",
        "closing",
        "command",
        "look",
        "riding",
        "tally",
        "wants_snapshot",
    )

    def __init__(
        self,
        backlog: Backlog,
        watched: Filter,
        *,
        limits: Limits,
        window_bits: int,
        now: float,
        tally: Tally | None = None,
    ) -> None:
        self._backlog = backlog
        self._limits = limits
        self._bits = window_bits
        self._inbound = Allowance(limits, now)
        self.tally = tally if tally is not None else Tally()
        self._lane = Lane(
            backlog.open(watched),
            bits=window_bits,
            cursor=backlog.head,
            bucket=TokenBucket(limits.burst, limits.rate, now),
            limits=limits,
            tally=self.tally,
        )
        self.riding = False  # in a lane together with others, which is flushed for all of them at once
        self._urgent = Urgent()  # messages that may use the reserve
        # A list, since an empty one costs a tenth of an empty deque, and this is short when it is not empty.
        self._parts: list[bytes] = []  # frames of a snapshot or a large batch, in order
        self._wait = FOREVER  # the instant at which tokens will allow more
        self._next_ping = now + limits.heartbeat
        self._pong_by = FOREVER
        self._warned_at = -FOREVER
        self._abused_at = -FOREVER
        self._abuse_since = now
        self.wants_snapshot = True
        self.answers: wire.SubscribeId = None  # the `id` of a subscribe whose state is not sent yet
        self.command: wire.PlaybackCommand | None = None  # the last, for whoever moves timelines
        self.look: wire.Look | None = None  # the last, for whoever knows the state
        self.closing: Close | None = None

    # What comes in

    def receive(
        self,
        text: bytes,
        *,
        now: float,
        time: float,
        as_of: float | None = None,
        moment: Callable[[float], float] = float,
    ) -> float:
        """A text message of the client. Never raises: what is wrong with it is answered (PROTOCOL 8, 22).

        `as_of`: up to when the state is known to be complete; `moment` makes a time of the timeline of it. Returns the
        seconds for which nothing more should be read of the client, so that what is past its limit is not even
        inflated."""
        self.tally.received += 1
        if not self._inbound.take(len(text), now):
            self.tally.refused += 1
            return self._limit(now, time)
        try:
            message = wire.parse(text)
            match message:
                case wire.Ping():
                    until = self.complete_until(as_of)
                    until = None if until is None else moment(until)
                    self._answer(wire.pong(message.timestamp or timestamp(time), as_of=until))
                case wire.Subscribe():
                    watched = Filter.parse(
                        message.namespaces or (),
                        kinds=message.kinds or (),
                        labels=message.labels or "",
                        detail=message.detail or "",
                    )
                    self.answers = message.id
                    self._look_at(self._backlog, watched)
                case wire.Look() if self.view.filter.maps:
                    self.look = message
                case wire.Look():
                    raise InvalidMessageError(
                        "There is no map to look at", "pods: subscribe with detail: 'map' before"
                    )
                case wire.PlaybackCommand():  # pragma: no branch - a client has no other message
                    self.command = message
        except InvalidMessageError as invalid:
            self.refuse(invalid, time=time)
        return 0.0

    def refuse(self, invalid: InvalidMessageError, *, time: float) -> None:
        """Answer a message of the client that asks for what cannot be."""
        self.tally.invalid += 1
        fault = Fault(ErrorCode.INVALID_MESSAGE, str(invalid), invalid.details)
        self._answer(wire.error(fault, time=time))

    def ping(self, size: int, *, now: float, time: float) -> float:
        """A WebSocket ping with a payload of `size` bytes, which counts as a message does. 0.0: it is to be answered;
        else as `receive`."""
        return 0.0 if self._inbound.take(size, now) else self._limit(now, time)

    def complete_until(self, as_of: float | None) -> float | None:
        """Up to when what this client has is complete; None while it has no state, or only a part of it."""
        if self.wants_snapshot or self._parts:
            return None
        return self.view.complete_until(self._lane.cursor, as_of)

    def pong(self, size: int, *, now: float, time: float) -> float:
        """The client answered a WebSocket ping. One that nobody asked for counts as a message does. As `receive`."""
        asked, self._pong_by = self.asked, FOREVER
        self._next_ping = now + self._limits.heartbeat
        return 0.0 if asked or self._inbound.take(size, now) else self._limit(now, time)

    @property
    def asked(self) -> bool:
        """A WebSocket ping waits for its answer."""
        return self._pong_by != FOREVER

    def overdue(self, now: float) -> bool:
        """That answer should be there."""
        return now >= self._pong_by

    def read_again(self, now: float) -> None:
        """It gets what it is sent, if slowly: a ping behind all that has as long again to be answered."""
        if self.asked:
            self._pong_by = self._next_ping = now + self._limits.heartbeat_timeout

    def _limit(self, now: float, time: float) -> float:
        if now - self._abused_at > 1.0:
            self._abuse_since = now
        self._abused_at = now
        if now - self._abuse_since >= self._limits.abuse_after:
            self.closing = Close(1008, "rate limit exceeded for too long")
        elif now - self._warned_at >= 1.0:
            self._warned_at = now
            fault = Fault(
                ErrorCode.RATE_LIMITED,
                "Too many messages: this one was dropped",
                f"At most {self._limits.per_minute} messages a minute, {self._limits.burst} at once",
            )
            self._answer(wire.error(fault, time=time, retry_after=self._inbound.ready_in(now)))
        # Whoever goes on is still heard of more than once a second, which is what `abuse_after` looks at.
        return min(_LONGEST_REST, max(_REST, self._inbound.ready_in(now)))

    def _answer(self, message: bytes) -> None:
        self.tell(Word("", message))

    def _look_at(self, backlog: Backlog, watched: Filter) -> None:
        self.step_out()
        before, self._lane.view = self._lane.view, backlog.open(watched)
        self._backlog.close(before)
        self._backlog = backlog
        self.restart()

    def looked(self, watched: Filter, answer: bytes) -> None:
        """These pods of a map are told as a whole from now on; `answer` has them as of the head of the backlog."""
        self.step_out()
        before, lane = self._lane.view, self._lane
        if watched.looks is None and lane.cursor >= before.last:
            lane.cursor = self._backlog.head
            lane.view = self._backlog.open(watched)
        else:
            lane.view = self._backlog.look(watched, since=lane.cursor)
        self._backlog.close(before)
        self._answer(answer)

    # Lock-step

    @property
    def view(self) -> View:
        return self._lane.view

    @property
    def lane(self) -> Lane:
        """The cursor and the bucket; of others too, where it is `riding`."""
        return self._lane

    @property
    def plain(self) -> bool:
        """Nothing but events is due to it, and it has got all there are: it may ride with others."""
        return self.caught_up and self.closing is None

    def step_in(self, lane: Lane | None = None) -> None:
        """Ride in `lane`, which takes this one's (Lane.takes); without one, open the own lane to others."""
        if lane is not None:
            lane.riders += 1
            self._lane = lane
        self._wait = FOREVER
        self.riding = True

    def step_out(self) -> None:
        """Go on alone from where the lane is."""
        if self.riding:
            self.riding = False
            self._lane.riders -= 1
            self._lane = self._lane.fork()

    def follow_up(self, parts: tuple[bytes, ...]) -> None:
        """Step out with these frames to send before all other events: the rest of a large batch."""
        self.step_out()
        self._parts.extend(parts)

    # What the server has to say

    def tell(self, word: Word) -> None:
        """A small message that goes before all else: connection, error, pong, playback."""
        self.step_out()
        self._urgent.add(word)

    def offer_metrics(self, message: bytes) -> None:
        """Those who ride are offered theirs together, through their lane."""
        self.step_out()
        self._lane.metrics = text_frame(message, self._bits)

    def restart(self) -> None:
        """What was sent no longer leads to the state: the client needs a new `initial_state`."""
        self.step_out()
        self._parts.clear()
        self.wants_snapshot = True

    def move(self, backlog: Backlog) -> None:
        """Go over to another backlog (a jump of the timeline, or another timeline)."""
        self._look_at(backlog, self.view.filter)
        self._lane.metrics = None  # they were of where it was

    def give(self, snapshot: Snapshot) -> None:
        """The snapshot it wanted, taken at a seq that the backlog still covers."""
        self.step_out()
        self.tally.snapshots += 1
        self._parts.extend(snapshot.frames)
        self._place(snapshot.seq)

    def resume(self, seq: int, missed: tuple[bytes, ...] = ()) -> None:
        """The client has all up to `seq` once it has got `missed`, finished frames (PROTOCOL 15)."""
        self.step_out()
        self._parts.extend(missed)
        self._place(seq)

    def _place(self, seq: int) -> None:
        if seq > self._backlog.head:
            raise DivergedError(f"A client was put at event {seq}, past the last one, {self._backlog.head}")
        self._lane.cursor = seq
        self.wants_snapshot = False

    @property
    def holds(self) -> int | None:
        """The seq whose state the client has, with what is on its way; None while it has none, or a part of one, and
        for a map, whose numbers are those of this backlog."""
        return None if self.wants_snapshot or self._parts or self.view.filter.maps else self._lane.cursor

    def catch_up(self, seq: int) -> None:
        """The client has all up to `seq`, and the backlog has what came after: that goes as a batch (PROTOCOL 15)."""
        view = self.view
        if view.lost <= seq < view.last:
            self.resume(view.head, view.batch(seq, self._bits))
        else:
            self.resume(seq)

    @property
    def window_bits(self) -> int:
        return self._bits

    # What goes out

    def flush(self, now: float) -> bytes:
        """The frames that are due and allowed now, joined; b"" when there are none.

        Large parts come one at a time: call again once what was returned is on its way.
        """
        out: list[bytes] = []
        if now >= self._next_ping:
            self._heartbeat(now, out)
        lane = self._lane
        if lane.caught_up and not self._urgent and not self._parts:
            self._wait = FOREVER
            return out[0] if out else b""
        if self.riding:
            self.step_out()
            lane = self._lane
        self._wait = FOREVER
        bucket, keep, tally = lane.bucket, self._limits.reserve, self.tally
        while self._urgent and bucket.take(1, now):
            out.append(text_frame(self._urgent.take(), self._bits))
            tally.messages += 1
        if self._urgent:
            self._wait = bucket.ready_at(1, now)
            return b"".join(out)
        if self._parts:
            if lane.message(now):
                out.append(self._parts.pop(0))
                self.answers = None  # the first part of a state has it
            if self._parts:
                self._wait = bucket.ready_at(1, now, keep=keep)
                return b"".join(out)
        if not self.wants_snapshot:
            frames = lane.events(now)
            self._wait = lane.wait
            if frames is None:
                tally.fell_off += 1
                self.restart()
            elif frames:
                out.append(frames[0])
                if len(frames) > 1:
                    self._parts.extend(frames[1:])
                    self._wait = bucket.ready_at(1, now, keep=keep)
        return b"".join(out) if len(out) != 1 else out[0]

    def _heartbeat(self, now: float, out: list[bytes]) -> None:
        if now >= self._pong_by:
            self.closing = Close(1011, "no answer to a ping", abort=True)
        else:
            out.append(PING)
            self._pong_by = now + self._limits.heartbeat_timeout
            # Not another one before this one is answered.
            self._next_ping = self._pong_by

    @property
    def due(self) -> float:
        """The instant at which `flush` should be called even if nothing happens."""
        return min(self._wait, self._next_ping)

    @property
    def caught_up(self) -> bool:
        """Nothing is left to send, as far as the log goes."""
        return not self.wants_snapshot and not self._parts and not self._urgent and self._lane.caught_up

    @property
    def sending(self) -> bool:
        """Frames wait that were made for it, or for a state."""
        return bool(self._parts)

    def leave(self) -> None:
        """The connection is over."""
        self.step_out()
        self._backlog.close(self.view)
