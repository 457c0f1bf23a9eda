"""The state of the past that was read last, and its objects: who goes to a moment near it reads what is other there."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final, NamedTuple

from kstream.core.errors import DivergedError, LogError
from kstream.core.timeline.state import ClusterState, Entry
from kstream.logs import reading

_BYTES: Final = 64 * 2**20  # of bodies that are kept: 150,000 pods of 400 bytes
_NEAR: Final = 4  # objects for each event up to which a copy that goes on is cheaper than another state

_BACK: Final = (
    6  # parts of what is near: by one of them further back, since every event of it is folded each time
)


class _Kept(NamedTuple):
    """Nobody changes it: a copy goes on."""

    state: ClusterState
    objects: Mapping[int, Entry]  # by the events that last touched them

    @property
    def near(self) -> int:
        """Events."""
        return len(self.state) // _NEAR


class Recent:
    """Of one log; from several threads. For one who looks once nothing is kept, nor is the present."""

    def __init__(self) -> None:
        self._asked = False
        self._kept: _Kept | None = None

    def state_at(self, connection: sqlite3.Connection, seq: int, *, head: int) -> ClusterState:
        """As `reading.state_at`; `head`: where the present is."""
        kept = self._kept
        if kept is not None and abs(seq - kept.state.seq) <= kept.near:
            try:
                if seq < kept.state.seq:
                    # Who goes back goes further back: from the next state on it is a copy that goes on.
                    kept = self._keep(*self._read(connection, max(seq - kept.near // _BACK, 0), kept))
                return _gone_on(connection, kept.state, seq)
            except (LogError, DivergedError):
                pass  # something between them was dropped, or is damaged: the state itself may be whole
        state, objects = self._read(connection, seq, kept)
        if seq < head:
            if self._asked:
                self._keep(state.copy(), objects)
            self._asked = True
        return state

    @staticmethod
    def _read(
        connection: sqlite3.Connection, seq: int, kept: _Kept | None
    ) -> tuple[ClusterState, Mapping[int, Entry]]:
        return reading.state_and_objects(connection, seq, known={} if kept is None else kept.objects)

    def _keep(self, state: ClusterState, objects: Mapping[int, Entry]) -> _Kept:
        kept = _Kept(state, objects)
        self._kept = kept if sum([len(entry.body) for entry in state]) <= _BYTES else None
        return kept


def _gone_on(connection: sqlite3.Connection, begin: ClusterState, seq: int) -> ClusterState:
    state = begin.copy()
    for event in reading.span(connection, state.seq, seq):
        state.apply(event)
    return state
