"""A cursor and a bucket on a view: which events go out when. Clients in lock-step share one.

Sharing is exact about what is sent, since all in a lane have got the same events, and safe about the limits: a client
steps into a lane only if the lane's bucket holds no more than its own, and at most half a token less.
"""

from __future__ import annotations

from kstream.core.delivery.limits import Limits, TokenBucket
from kstream.core.delivery.tally import Tally
from kstream.core.delivery.view import View

FOREVER = float("inf")
_SLACK = 0.5  # tokens that a client may give up for the company


class Lane:
    """All methods leave `cursor`, `bucket` and `wait` true for every session that is in the lane."""

    __slots__ = ("_limits", "bits", "bucket", "cursor", "metrics", "riders", "tally", "view", "wait")

    def __init__(
        self, view: View, *, bits: int, cursor: int, bucket: TokenBucket, limits: Limits, tally: Tally
    ) -> None:
        self.view = view
        self.bits = bits
        self.cursor = cursor
        self.bucket = bucket
        self.tally = tally
        self.metrics: bytes | None = None  # a frame for each of them; only the newest is worth sending
        self.riders = 1
        self.wait = FOREVER  # the instant at which tokens will allow more
        self._limits = limits

    def fork(self) -> Lane:
        """The same for one that goes its own way from here."""
        lane = Lane(
            self.view,
            bits=self.bits,
            cursor=self.cursor,
            bucket=self.bucket.copy(),
            limits=self._limits,
            tally=self.tally,
        )
        lane.metrics = self.metrics
        lane.wait = self.wait
        return lane

    @property
    def caught_up(self) -> bool:
        return self.cursor >= self.view.last and self.metrics is None

    @property
    def behind(self) -> int:
        """How many events it has not got; -1 when some of them are no longer there."""
        view, cursor = self.view, self.cursor
        if cursor >= view.last:
            return 0
        return -1 if view.misses(cursor) else view.count(cursor)

    def takes(self, other: Lane, now: float) -> bool:
        """Whether a client on `other` may go over to this lane: it has got the same, and has no fewer tokens."""
        if self.view is not other.view or self.bits != other.bits or self.metrics is not other.metrics:
            return False
        behind = self.behind
        if behind < 0 or other.behind != behind:
            return False
        surplus = other.bucket.level(now) - self.bucket.level(now)
        return 0.0 <= surplus <= _SLACK

    def events(self, now: float) -> tuple[bytes, ...] | None:
        """The frames that are due and allowed now, all of them one write; more than one is a batch in parts.

        () when there is nothing or tokens are short, which `wait` tells; None when what comes next is no longer in
        the window. Nothing was taken in that case.
        """
        self.wait = FOREVER
        if self.view.misses(self.cursor):
            return None
        if self.metrics is None:
            return self._events(now)
        if not self.message(now):
            self.wait = self.bucket.ready_at(1, now, keep=self._limits.reserve)
            return ()
        first, self.metrics = self.metrics, None
        frames = self._events(now)
        return (first + frames[0], *frames[1:]) if frames else (first,)

    def _events(self, now: float) -> tuple[bytes, ...]:
        view = self.view
        cursor = self.cursor
        if cursor >= view.last:
            return ()
        bucket, keep = self.bucket, self._limits.reserve
        count = view.count(cursor)
        tally, riders = self.tally, self.riders
        if bucket.take(count, now, keep=keep):
            frames: tuple[bytes, ...] = (view.singles(cursor, self.bits),)
            tally.messages += count * riders
            tally.events += count * riders
        elif bucket.take(1, now, keep=keep):
            frames = view.batch(cursor, self.bits)
            tally.messages += riders if frames else 0
            tally.batches += riders if frames else 0
            tally.batched += count * riders
            tally.batch_sizes.add(count, riders)
        else:
            tally.waits += riders
            self.wait = bucket.ready_at(1, now, keep=keep)
            return ()
        self.cursor = view.head
        return frames

    def message(self, now: float) -> bool:
        """Whether one more message may go now; its token is taken."""
        if not self.bucket.take(1, now, keep=self._limits.reserve):
            return False
        self.tally.messages += self.riders
        return True
