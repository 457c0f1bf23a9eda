"""States of maps, made where that stops nobody (PROTOCOL 33)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import uuid4

from kstream.core.delivery import mapstate
from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.mapstate import Rows
from kstream.core.delivery.numbers import Numbers
from kstream.core.delivery.snapshot import Capture, Snapshot
from kstream.core.delivery.wire import SubscribeId
from kstream.core.timeline.state import ClusterState

_INLINE = 500  # pods, up to which a map is made on the spot


class Maps:
    """Of one timeline, between two jumps of it. One is made at a time."""

    def __init__(self) -> None:
        self._rows = Rows()

    async def make(
        self,
        state: ClusterState,
        backlog: Backlog,
        watched: Filter,
        taken: Capture,
        *,
        time: float,
        window_bits: int,
        answers: SubscribeId,
    ) -> Snapshot:
        """The state of a map, of which `taken` was captured just now.

        The first gives the pods of `backlog` their numbers, where it still has what came since: else nobody can go on
        from it, and whoever wants one asks again."""
        captured = mapstate.capture(state, watched, taken)
        everything = mapstate.capture(state, EVERYTHING) if backlog.numbers is None else None

        def made() -> tuple[Numbers, Snapshot]:
            numbers = backlog.numbers
            if everything is not None:
                uids, bodies = everything.uids, everything.taken.pods
                numbers = _numbered(self._rows, uids, bodies, since=everything.taken.seq)
            assert numbers is not None
            snapshot = mapstate.encode(
                captured, self._rows, numbers, time=time, window_bits=window_bits, answers=answers
            )
            return numbers, snapshot

        held = backlog.numbers
        if held is not None:
            held.hold(held=True)
        try:
            small = len((everything or captured).uids) <= _INLINE
            numbers, snapshot = made() if small else await asyncio.to_thread(made)
        finally:
            if held is not None:
                held.hold(held=False)
        if held is None:
            backlog.number(numbers)
        return snapshot


def _numbered(rows: Rows, uids: Sequence[str], bodies: Sequence[bytes], *, since: int) -> Numbers:
    """In the order of the map, in which the steps from one to the next are 1."""
    return Numbers(uuid4().hex[:8], [row.uid for row in rows.take(uids, bodies)], since=since)
