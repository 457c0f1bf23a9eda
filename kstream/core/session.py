"""One client's protocol machine: input in; frames, wishes and the end of the connection out. No I/O, no clock.

A session is a cursor into the backlog, a bucket and a few small queues. It holds no events of its own, so a client
that stops reading costs the same as one that reads. `now` is monotonic seconds, `time` the time of the timeline.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from kstream.core import wire
from kstream.core.backlog import Backlog, View
from kstream.core.errors import InvalidMessageError
from kstream.core.filters import Filter
from kstream.core.frames import PING, text_frame
from kstream.core.health import ErrorCode, Fault
from kstream.core.limits import Limits, TokenBucket
from kstream.core.snapshot import Snapshot

FOREVER = float("inf")
_MAX_URGENT = 64  # pongs and errors that wait for tokens; a client that causes more loses the oldest


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
        "_bucket",
        "_cursor",
        "_inbound",
        "_limits",
        "_metrics",
        "_next_ping",
        "_parts",
        "_pong_by",
        "_urgent",
        "_wait",
        "_warned_at",
        "closing",
        "coalesced",
        "sent",
        "view",
        "wants_snapshot",
    )

    def __init__(
        self, backlog: Backlog, watched: Filter, *, limits: Limits, window_bits: int, now: float
    ) -> None:
        self._backlog = backlog
        self._limits = limits
        self._bits = window_bits
        self._bucket = TokenBucket(limits.burst, limits.rate, now)
        self._inbound = TokenBucket(limits.burst, limits.rate, now)
        self.view: View = backlog.open(watched)
        self._cursor = backlog.head
        self._urgent: deque[bytes] = deque(maxlen=_MAX_URGENT)  # frames that may use the reserve
        self._parts: deque[bytes] = deque()  # frames of a snapshot or a large batch, in order
        self._metrics: bytes | None = None  # only the newest is worth sending
        self._wait = FOREVER  # the instant at which tokens will allow more
        self._next_ping = now + limits.heartbeat
        self._pong_by = FOREVER
        self._warned_at = -FOREVER
        self._abused_at = -FOREVER
        self._abuse_since = now
        self.wants_snapshot = True
        self.closing: Close | None = None
        self.sent = 0  # messages
        self.coalesced = 0  # events that went in batches

    # What comes in

    def receive(self, text: str, *, now: float, time: float) -> None:
        """A text message of the client. Never raises: what is wrong with it is answered (PROTOCOL 8, 22)."""
        if not self._inbound.take(1, now):
            self._refuse(now, time)
            return
        try:
            message = wire.parse(text)
            match message:
                case wire.Ping():
                    self.tell(wire.pong(message.timestamp or wire.timestamp(time)))
                case wire.Subscribe():
                    self._subscribe(Filter.parse(message.namespaces))
                case wire.PlaybackCommand():
                    raise InvalidMessageError(
                        "This timeline is not yours to move",
                        f"type: 'playback' ({message.action}) is the operator's here; watch and wait for `playback`",
                    )
        except InvalidMessageError as invalid:
            self.tell(wire.error(Fault(ErrorCode.INVALID_MESSAGE, str(invalid), invalid.details), time=time))

    def pong(self, now: float) -> None:
        """The client answered a WebSocket ping."""
        self._pong_by = FOREVER
        self._next_ping = now + self._limits.heartbeat

    def _refuse(self, now: float, time: float) -> None:
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
            again = self._inbound.ready_at(1, now) - now
            self.tell(wire.error(fault, time=time, retry_after=again))

    def _subscribe(self, watched: Filter) -> None:
        before = self.view
        self.view = self._backlog.open(watched)
        self._backlog.close(before)
        self.restart()

    # What the server has to say

    def tell(self, message: bytes) -> None:
        """A small message that goes before all else: connection, error, pong, playback."""
        self._urgent.append(text_frame(message, self._bits))

    def offer_metrics(self, message: bytes) -> None:
        self._metrics = text_frame(message, self._bits)

    def restart(self) -> None:
        """What was sent no longer leads to the state: the client needs a new `initial_state`."""
        self._parts.clear()
        self.wants_snapshot = True

    def move(self, backlog: Backlog) -> None:
        """Go over to another backlog (a jump of the timeline, or another timeline)."""
        before, self.view = self.view, backlog.open(self.view.filter)
        self._backlog.close(before)
        self._backlog = backlog
        self.restart()

    def give(self, snapshot: Snapshot) -> None:
        """The snapshot it wanted, taken at a seq that the backlog still covers."""
        self._parts.extend(snapshot.frames)
        self._cursor = snapshot.seq
        self.wants_snapshot = False

    def resume(self, seq: int, missed: tuple[bytes, ...] = ()) -> None:
        """The client has all up to `seq` once it has got `missed`, finished frames (PROTOCOL 15)."""
        self._parts.extend(missed)
        self._cursor = seq
        self.wants_snapshot = False

    @property
    def window_bits(self) -> int:
        return self._bits

    # What goes out

    def flush(self, now: float) -> bytes:
        """The frames that are due and allowed now, joined; b"" when there are none.

        Large parts come one at a time: call again once what was returned is on its way.
        """
        if (
            self._cursor >= self.view.last
            and not self._urgent
            and not self._parts
            and self._metrics is None
            and now < self._next_ping
        ):
            self._wait = FOREVER
            return b""
        self._wait = FOREVER
        out: list[bytes] = []
        self._heartbeat(now, out)
        bucket, keep = self._bucket, self._limits.reserve
        while self._urgent and bucket.take(1, now):
            out.append(self._urgent.popleft())
            self.sent += 1
        if self._urgent:
            self._wait = bucket.ready_at(1, now)
            return b"".join(out)
        if self._parts:
            if bucket.take(1, now, keep=keep):
                out.append(self._parts.popleft())
                self.sent += 1
            if self._parts:
                self._wait = bucket.ready_at(1, now, keep=keep)
                return b"".join(out)
        if self._metrics is not None and bucket.take(1, now, keep=keep):
            out.append(self._metrics)
            self._metrics = None
            self.sent += 1
        if not self.wants_snapshot and self._cursor < self.view.last:
            self._events(now, out)
        if self._metrics is not None:
            self._wait = min(self._wait, bucket.ready_at(1, now, keep=keep))
        return b"".join(out) if len(out) != 1 else out[0]

    def _events(self, now: float, out: list[bytes]) -> None:
        view, bucket, keep = self.view, self._bucket, self._limits.reserve
        if self._cursor < view.lost:
            self.restart()
            return
        count = view.count(self._cursor)
        if bucket.take(count, now, keep=keep):
            out.append(view.singles(self._cursor, self._bits))
            self.sent += count
        elif bucket.take(1, now, keep=keep):
            frames = view.batch(self._cursor, self._bits)
            self.coalesced += count
            if frames:
                out.append(frames[0])
                self._parts.extend(frames[1:])
                self.sent += 1
            if self._parts:
                self._wait = bucket.ready_at(1, now, keep=keep)
        else:
            self._wait = bucket.ready_at(1, now, keep=keep)
            return
        self._cursor = view.head

    def _heartbeat(self, now: float, out: list[bytes]) -> None:
        if now >= self._pong_by:
            self.closing = Close(1011, "no answer to a ping", abort=True)
        elif now >= self._next_ping and self._pong_by == FOREVER:
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
        return (
            not self.wants_snapshot
            and not self._parts
            and not self._urgent
            and self._cursor >= self.view.last
        )

    @property
    def cursor(self) -> int:
        """The client has, or is about to get, all up to here."""
        return self._cursor

    def leave(self) -> None:
        """The connection is over."""
        self._backlog.close(self.view)
