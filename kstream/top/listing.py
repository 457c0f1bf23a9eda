"""The pods of the table: in an order, some of them, kept with every change; made in pieces, so that nothing waits."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Final

from kstream.core.timeline.wellness import Badness
from kstream.top.board import By, Row

_PIECE: Final = 10_000  # pods that are looked at before others have their turn: some 10 ms
_MANY: Final = 1_000  # changes from which on all are sorted rather than each put in its place

_ORDER: Final = {
    By.NODE: attrgetter("node", "namespace", "name", "uid"),
    By.NAMESPACE: attrgetter("namespace", "name", "uid"),
    By.OWNER: attrgetter("owner", "namespace", "name", "uid"),
}


class Listing:
    """`rows`: the pods in which every word of `search` is, of name, namespace, node, owner or status, in the order of
    `by`. Whether a pod is listed, and where, depends on its Row alone."""

    def __init__(self, by: By, *, search: str = "", unwell: bool = False, group: str | None = None) -> None:
        """`unwell`: only those that are not well. `group`: only those of this group of `by`."""
        self.by = by
        self.group = group
        self.rows: list[Row] = []
        self._words = search.lower().split()
        self._unwell = unwell
        self._key = _ORDER[by]
        self._lower: dict[str, str] = {}

    @property
    def everything(self) -> bool:
        """Whether no pod is left out."""
        return not self._words and not self._unwell and self.group is None

    def lists(self, row: Row) -> bool:
        if self._unwell and row.badness is Badness.NONE:
            return False
        if self.group is not None and row.group(self.by) != self.group:
            return False
        return all(self._has(row, word) for word in self._words)

    def fill(self, pods: Sequence[Row]) -> Iterator[None]:
        """Take them in, a piece each time it is asked on; `refresh` what changed meanwhile when it has ended."""
        for start in range(0, len(pods), _PIECE):
            self._take(filter(self.lists, pods[start : start + _PIECE]))
            yield

    def refresh(self, touched: Mapping[str, Row | None], now: Mapping[str, Row]) -> None:
        """`touched`: each pod that changed, as it was when `rows` were right (None: not there); `now`: all of them."""
        gone = [row for row in touched.values() if row is not None and self.lists(row)]
        come = [row for uid in touched if (row := now.get(uid)) is not None and self.lists(row)]
        if len(gone) + len(come) > _MANY:
            left = set(gone)
            self.rows = [row for row in self.rows if row not in left]
            self._take(iter(come))
            return
        for row in gone:
            at = self.place(row)
            if at < len(self.rows) and self.rows[at].uid == row.uid:
                del self.rows[at]
        for row in come:
            self.rows.insert(self.place(row), row)

    def place(self, row: Row) -> int:
        """Where it is, or would be."""
        return bisect_left(self.rows, self._key(row), key=self._key)

    def _take(self, rows: Iterator[Row]) -> None:
        # Two sorted runs, which are merged: the whole is not sorted anew.
        self.rows += sorted(rows, key=self._key)
        self.rows.sort(key=self._key)

    def _has(self, row: Row, word: str) -> bool:
        if word in row.name or word in row.namespace or word in row.node:
            return True
        return word in self._lowered(row.status) or word in self._lowered(row.owner)

    def _lowered(self, text: str) -> str:
        lower = self._lower.get(text)
        if lower is None:
            lower = self._lower[text] = text.lower()
        return lower
