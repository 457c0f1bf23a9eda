"""Where a client wants to be from the start: `/ws?at=&speed=&paused=` and `/ws?follow=` (PROTOCOL 27, 28)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.playback import MAX
from kstream.delivery.driving import bounded_speed
from kstream.delivery.timelines import Timelines
from kstream.delivery.viewers import Opened, Viewer

_LONGEST: Final = 100  # characters of a point
_TRUE: Final = {"": True, "1": True, "true": True, "0": False, "false": False}


class Wish(NamedTuple):
    """A timeline of its own at a point, or that of another; neither: the one that all share."""

    own: bool = False
    at: str | None = None
    speed: float | str = 1.0
    paused: bool = False
    follow: str | None = None
    held: int | None = None  # the last event that was seen there
    opened: Opened | None = None

    @property
    def elsewhere(self) -> bool:
        """Not on the timeline that all share. Nothing is resumed there."""
        return self.own or self.follow is not None

    def holding(self, seq: int | None) -> Wish:
        """Of one who was there before, and saw event `seq` last."""
        return self._replace(held=seq)

    async def prepared(self, timelines: Timelines, *, wanted: Callable[[], bool]) -> Wish:
        """As far as it can be made come true before there is a socket; whoever follows one that has ended is told so in
        a message, and sees the present. `wanted`: somebody waits for it still. Raises InvalidMessageError, NoRoomError
        and LogError."""
        if self.elsewhere and not timelines.most:
            raise InvalidMessageError(
                "This server offers no private timelines",
                "at, speed and follow: leave them out to watch the shared timeline (--max-timelines)",
            )
        if self.own:
            return self._replace(
                opened=await timelines.open(
                    at=self.at, held=self.held, speed=self.speed, paused=self.paused, wanted=wanted
                )
            )
        return self

    def grant(self, timelines: Timelines, viewer: Viewer) -> None:
        """Raises InvalidMessageError where it cannot come true any more."""
        if self.follow is not None:
            timelines.follow(viewer, timelines.following(self.follow))
        elif self.opened is not None:
            timelines.enter(viewer, self.opened)


def wished(query: Mapping[str, str]) -> Wish:
    """Of the parameters of `/ws`. Raises InvalidMessageError whose details begin with the name of one."""
    at, speed, paused, follow = (query.get(name) for name in ("at", "speed", "paused", "follow"))
    if follow is not None:
        if at is not None or speed is not None or paused is not None:
            raise InvalidMessageError(
                "That timeline is its owner's", "follow: leave out at, speed and paused with it"
            )
        return Wish(follow=follow)
    if at is None and speed is None and paused is None:
        return Wish()
    if at is not None and len(at) > _LONGEST:
        raise InvalidMessageError("That is no point", f"at: more than {_LONGEST} characters")
    if paused is not None and paused not in _TRUE:
        raise InvalidMessageError("That is neither true nor false", f"paused: {paused[:40]!r}")
    wanted = bounded_speed("1" if speed is None else speed)
    return Wish(
        own=True,
        at=at,
        speed="max" if wanted == MAX else wanted,
        paused=paused is not None and _TRUE[paused],
    )
