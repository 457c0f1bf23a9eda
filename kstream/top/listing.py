"""The pods of the table: some of them, in the order of their groups; kept with every change.

No order of all pods is ever made: groups are in order, and the pods of one only when they are looked at.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Final

from kstream.core.timeline.wellness import Badness
from kstream.top.board import Board, By, Group, Row

_PIECE: Final = 5_000  # pods that are looked at before others have their turn: some 10 ms


class Listing:
    """The pods in which every word of `search` is, of name, namespace, node, owner or status, by `by`, namespace and
    name. Whether a pod is listed, and where, depends on its Row alone."""

    def __init__(self, by: By, *, search: str = "", unwell: bool = False, group: str | None = None) -> None:
        """`unwell`: only those that are not well. `group`: only those of this group of `by`."""
        self.by = by
        self.search = search
        self.unwell = unwell
        self.group = group
        self._words = search.lower().split()
        self._lower: dict[str, str] = {}
        self._groups: dict[str, Group] = {}
        self._names: list[str] = []
        self._starts: list[int] = [0]  # the index of the first pod of each group, and how many there are
        self._sorted: dict[str, list[Row]] = {}

    @property
    def everything(self) -> bool:
        """Whether no pod is left out."""
        return not self._words and not self.unwell and self.group is None

    def lists(self, row: Row) -> bool:
        if self.unwell and row.badness is Badness.NONE:
            return False
        if self.group is not None and row.group(self.by) != self.group:
            return False
        return all(self._has(row, word) for word in self._words)

    def fill(self, board: Board) -> Iterator[None]:
        """Take in what there is, a piece each time it is asked on; `refresh` what changed meanwhile when it has ended.

        Where nothing is left out the groups of the board are looked at themselves.
        """
        if self.everything:
            self._groups = board.groups[self.by]
        else:
            pods = list(board.pods.values())
            for start in range(0, len(pods), _PIECE):
                for row in filter(self.lists, pods[start : start + _PIECE]):
                    self._put(row)
                yield
        self._lay()

    def refresh(self, touched: Mapping[str, Row | None], now: Mapping[str, Row]) -> None:
        """`touched`: each pod that changed, as it was when this was right (None: not there); `now`: all of them."""
        for uid, before in touched.items():
            for row in (before, now.get(uid)):
                if row is not None:
                    self._sorted.pop(row.group(self.by), None)
            if not self.everything:
                self._swap(before, now.get(uid))
        if touched:
            self._lay()

    def __len__(self) -> int:
        return self._starts[-1]

    def row(self, index: int) -> Row:
        """Raises IndexError past the last one."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        at = bisect_right(self._starts, index) - 1
        return self._in(self._names[at])[index - self._starts[at]]

    def _in(self, name: str) -> list[Row]:
        rows = self._sorted.get(name)
        if rows is None:
            pods = self._groups[name].pods.values()
            rows = self._sorted[name] = sorted(pods, key=lambda row: (row.namespace, row.name, row.uid))
        return rows

    def _lay(self) -> None:
        groups = self._groups
        if len(self._names) != len(groups) or not all(name in groups for name in self._names):
            self._names = sorted(groups)
        self._starts = [0, *accumulate(len(groups[name].pods) for name in self._names)]

    def _swap(self, before: Row | None, after: Row | None) -> None:
        if before is not None and self.lists(before):
            name = before.group(self.by)
            pods = self._groups[name].pods
            del pods[before.uid]
            if not pods:
                del self._groups[name]
        if after is not None and self.lists(after):
            self._put(after)

    def _put(self, row: Row) -> None:
        name = row.group(self.by)
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = Group()
        group.pods[row.uid] = row

    def _has(self, row: Row, word: str) -> bool:
        if word in row.name or word in row.namespace or word in row.node:
            return True
        return word in self._lowered(row.status) or word in self._lowered(row.owner)

    def _lowered(self, text: str) -> str:
        lower = self._lower.get(text)
        if lower is None:
            lower = self._lower[text] = text.lower()
        return lower
