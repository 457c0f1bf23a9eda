"""Clients whose sockets are full: left alone until they have read, and given up when they read nothing for too long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kstream.core.delivery.lane import FOREVER
from kstream.delivery.member import Member

_POLL: Final = 0.02  # seconds between looks at them


class Slow:
    """Of one timeline."""

    def __init__(self, patience: float) -> None:
        """`patience`: seconds in which something has to be read."""
        self._patience = patience
        self._members: dict[Member, None] = {}

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, member: object) -> bool:
        return member in self._members

    def add(self, member: Member) -> None:
        self._members[member] = None

    def forget(self, member: Member) -> None:
        """It went, or is given up; saying so again does no harm."""
        self._members.pop(member, None)

    def due(self, now: float) -> float:
        """When they are to be looked at again, monotonic; infinite where there is nobody."""
        return now + _POLL if self._members else FOREVER

    def look(self, now: float) -> Iterator[tuple[Member, bool]]:
        """Those who have read all that they were given, and are forgotten here: True; those who have read nothing for
        too long: False. `now` is monotonic, in seconds."""
        for member in list(self._members):
            if member.drained(now):
                self.forget(member)
                yield member, True
            elif member.stalled_for(now) >= self._patience:
                yield member, False
