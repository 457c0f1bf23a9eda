"""What a server says, taken into the scene in pieces: keys and drawing have their turn between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kstream.core.client.state import Json
from kstream.core.timeline.events import Kind
from kstream.top import words
from kstream.top.board import Board
from kstream.top.moment import Moment
from kstream.top.rate import Rate
from kstream.top.views import Scene

_PIECE: Final = 200  # events
_EVENTS: Final = frozenset(("node_event", "pod_event", "namespace_event"))


class Follower:
    """Keeps the board of a scene, the rate of events, and the time of the timeline."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._whole = False  # a state came in one piece, or its last piece has come (PROTOCOL 4)
        self.rate = Rate()
        self.moment = Moment()

    def take(self, message: Json, *, now: float) -> Iterator[None]:
        """A message that was folded into the state just now; all of it, when it is not asked on. `now`: seconds, of a
        clock that is never set."""
        kind, state = message["type"], self._scene.state
        if kind != "pong":
            self.moment.heard(words.seconds_of(message.get("timestamp")), now=now)
        if kind == "initial_state":
            board = Board()
            yield from board.put_all(Kind.NODE, list(state.nodes.values()))
            yield from board.put_all(Kind.POD, list(state.pods.values()))
            self._scene.board = board
            self._whole = state.seq is not None
        elif kind == "batch":
            events = message["data"]
            if self._whole:  # what a state is too large for happened long ago
                self.rate.add(len(events), now=now)
            for start in range(0, len(events), _PIECE):
                for event in events[start : start + _PIECE]:
                    self._scene.board.follow(event)
                yield
            self._whole = state.seq is not None
        elif kind in _EVENTS:
            self.rate.add(1, now=now)
            self._scene.board.follow(message)
