"""`metrics` for everyone who has the state (PROTOCOL 7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from kstream.core.delivery.frames import text_frame
from kstream.delivery.crowd import Crowd, Party
from kstream.delivery.member import Member
from kstream.delivery.turn import Turn


async def offer_metrics(
    crowds: Iterable[Crowd],
    message: Callable[[float | None], bytes],
    *,
    as_of: float | None,
    serve_party: Callable[[Party, float], None],
    serve: Callable[[Member, float], None],
    turn: Turn,
) -> None:
    """Those in a lane get theirs together. `message` is made once for each watermark that it is told with: up to when
    what a client has is complete, `as_of` at most, in seconds since the Unix epoch (PROTOCOL 29)."""
    made = lru_cache(maxsize=64)(message)
    for crowd in crowds:
        for party in list(crowd.parties.values()):
            lane = party.lane
            lane.metrics = text_frame(made(lane.view.complete_until(lane.cursor, as_of)), lane.bits)
            serve_party(party, await turn.rest())
        for member in list(crowd.alone):
            if not member.session.wants_snapshot:
                member.session.offer_metrics(made(member.session.complete_until(as_of)))
                serve(member, await turn.rest())
