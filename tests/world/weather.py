"""What is wrong now and since when: how much a client may be behind, and what must be told by now."""

from __future__ import annotations

from collections.abc import Callable

_TOLD = {  # fault → seconds after which, if nothing else is wrong, it has to be told, and of what
    "down": (70.0, "cluster"),
    "restart": (70.0, "cluster"),
    "black hole": (130.0, "cluster"),
    "401": (70.0, "cluster"),
    "429": (70.0, "cluster"),
    "500": (70.0, "cluster"),
    "403 for long": (70.0, "permission:"),
}

_BEARABLE = {"403 of all namespaces"}
_SETTLED = 100.0  # seconds until the way around is found, and whatever was wrong before is over


class Weather:
    """Faults that last begin and end; those of a moment are over when they come."""

    def __init__(self, *, healed_after: float) -> None:
        """`healed_after`: seconds after the last fault until all is well."""
        self._now: dict[int, tuple[str, float]] = {}
        self._number = 0
        self._healed_after = healed_after
        self._changed_at = -healed_after  # of the last beginning or end

    def moment(self, now: float) -> None:
        """Something happened to the server, to what it watches or to its disk."""
        self._changed_at = now

    def begins(self, what: str, now: float) -> Callable[[float], None]:
        """What is returned is called with the time of the end."""
        number = self._number = self._number + 1
        self._now[number] = what, now
        self._changed_at = now

        def ends(later: float) -> None:
            del self._now[number]
            self._changed_at = later

        return ends

    def calm(self, now: float) -> bool:
        """Nothing is wrong, nor was so of late."""
        return not self._now and now - self._changed_at >= self._healed_after

    def bearable(self, now: float) -> bool:
        """All that is wrong, and has been for a while, is what kstream has a way around."""
        return (
            bool(self._now)
            and all(what in _BEARABLE for what, _ in self._now.values())
            and now - self._changed_at >= _SETTLED
        )

    def due(self, now: float) -> str:
        """The beginning of the fault that must be known by now; "" for none."""
        if len(self._now) != 1:
            return ""
        ((what, _),) = self._now.values()
        seconds, subject = _TOLD.get(what, (float("inf"), ""))
        return subject if now - self._changed_at >= seconds else ""
