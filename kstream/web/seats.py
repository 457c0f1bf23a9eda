"""How many clients there may be at once (`--max-clients`)."""

from __future__ import annotations

from typing import Protocol


class Seats(Protocol):
    """Of all who serve behind one port."""

    @property
    def most(self) -> int: ...

    @property
    def taken(self) -> int: ...

    def take(self) -> bool:
        """One more client, if there may be one more."""
        ...

    def leave(self) -> None:
        """One that was taken is free again."""
        ...


class OwnSeats:
    """Of a process that serves alone."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.taken = 0

    def take(self) -> bool:
        if self.taken >= self.most:
            return False
        self.taken += 1
        return True

    def leave(self) -> None:
        self.taken -= 1
