"""The numbers by which those who see a map know pods: uids, being random, would be most of what there is to send."""

from __future__ import annotations

from collections.abc import Iterable

from kstream.core.timeline.events import Verb


class Numbers:
    """Of one window: each pod has its own for as long as it is there, and no other pod of the window ever has it.

    `name` tells them from the numbers of every other window and process, for who comes back (PROTOCOL 33).
    """

    __slots__ = ("_gone", "_held", "_next", "_of", "_uids", "name", "since")

    def __init__(self, name: str, uids: Iterable[str], *, since: int) -> None:
        """Those of `uids`, from 1 on in that order, which are the pods after event `since`."""
        self.name = name
        self.since = since
        self._of = {uid: number for number, uid in enumerate(uids, 1)}
        self._uids = {number: uid for uid, number in self._of.items()}
        self._next = len(self._of) + 1
        self._gone: dict[str, None] = {}
        self._held = False

    def take(self, uid: str, verb: Verb) -> int:
        """The number of the pod that a committed event is about."""
        number = self._of.get(uid)
        if number is None:
            number = self._next
            self._next += 1
            self._of[uid], self._uids[number] = number, uid
        if verb is Verb.DELETED:
            self._gone[uid] = None
            if not self._held:
                self._settle()
        else:
            self._gone.pop(uid, None)
        return number

    def of(self, uid: str) -> int:
        """Of a pod that is there, or was when `hold` was called."""
        return self._of[uid]

    def uid(self, number: int) -> str | None:
        """Of which pod that is; None for a number that no pod has."""
        return self._uids.get(number)

    def hold(self, *, held: bool) -> None:
        """While a state is made elsewhere, those that go keep theirs."""
        self._held = held
        if not held:
            self._settle()

    def _settle(self) -> None:
        for uid in self._gone:
            del self._uids[self._of.pop(uid)]
        self._gone.clear()
