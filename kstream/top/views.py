"""What the three panels show: the map, what is worst, and the table of pods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from kstream.core.client.state import ClientState
from kstream.core.timeline.wellness import Badness
from kstream.core.visible import visible
from kstream.top import chart, words
from kstream.top.board import Board, By, Row, Trouble
from kstream.top.chart import Detail, Plan
from kstream.top.listing import Listing
from kstream.top.spans import LETTERS, TONES, WORDS, Line, Span, cut

_TROUBLES: Final = 500  # that are listed


class Scene:
    """What is shown of a server, and how it is looked at."""

    def __init__(self, state: ClientState, *, by: By, colours: bool) -> None:
        self.state = state
        self.by = by
        self.colours = colours  # whether the terminal shows them
        self.board = Board()
        self.listing = Listing(by)
        self.time: float | None = None  # of the timeline, seconds since the Unix epoch
        self._listed: Board | None = None  # the board that `listing` is of
        self._missed: dict[str, Row | None] = {}  # what changed since a listing is being filled

    def settle(self) -> None:
        """What changed on the board since is in the listing, too."""
        touched = self.board.drain() or {}
        if self._listed is self.board:
            self.listing.refresh(touched, self.board.pods)
        for uid, before in touched.items():
            self._missed.setdefault(uid, before)

    def list(self, wanted: Listing) -> Iterator[None]:
        """Another listing, in pieces: the one that there is stays until that one is complete. One at a time."""
        self.settle()
        board, self._missed = self.board, {}
        yield from wanted.fill(board)
        self.settle()
        wanted.refresh(self._missed, board.pods)
        self.listing, self._listed = wanted, board


class Map:
    """The groups of pods, as `chart` draws them; one of them is chosen."""

    heads = 1

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._size = (80, 10)
        self._made: tuple[object, Plan] | None = None
        self._widest = 0  # pods of one group
        self.least = Detail.PODS
        self.chosen: str | None = None

    def resized(self, width: int, height: int) -> None:
        self._size = width, height

    def refresh(self) -> None:
        """The board may have changed: cells of pods need more room with more pods in one group."""
        groups = self._scene.board.groups[self._scene.by].values()
        self._widest = max((len(group.pods) for group in groups), default=0)

    @property
    def plan(self) -> Plan:
        scene = self._scene
        about = scene.board, scene.board.grouped, self._widest, scene.by, self._size, self.least
        if self._made is None or self._made[0] != about:
            width, height = self._size
            made = chart.plan(scene.board, scene.by, width, height, colours=scene.colours, least=self.least)
            self._made = about, made
        return self._made[1]

    def __len__(self) -> int:
        return len(self.plan.lines)

    def head(self, y: int, width: int) -> Line:
        scene, made = self._scene, self.plan
        if self.chosen is not None:
            return [
                Span(cut(f"MAP {visible(chart.said(scene.board, scene.by, self.chosen))}", width), "quiet")
            ]
        cell = "pod" if made.detail is Detail.PODS else scene.by.value
        several = f"{made.each} {scene.by.value}s" if made.each > 1 else f"a {cell}"
        legend = " ".join(f"{letter} {word}" for letter, word in zip(LETTERS, WORDS, strict=True))
        said = f"MAP by {scene.by.value}: a cell is {several}; {legend}"
        if made.detail is Detail.COUNTS:
            said = f"MAP by {scene.by.value}: pods that are well, and {' '.join(legend.split(' ')[2:])}"
        return [Span(cut(said, width), "quiet")]

    def line(self, index: int, width: int) -> Line:
        return chart.draw(self.plan, self._scene.board, self._scene.by, index, chosen=self.chosen)

    def choose(self, steps: int, *, only: Callable[[str], bool] | None = None) -> int | None:
        """Another group, so many further on; its line."""
        names = self.plan.names
        if not names:
            return None
        place = {name: index for index, name in enumerate(names)}
        at = place.get(self.chosen) if self.chosen is not None else None
        sign = 1 if steps > 0 else -1
        index = at + steps if at is not None else 0
        index = min(max(index, 0), len(names) - 1)
        for way in (range(index, len(names)), range(index)) if sign > 0 else (range(index, -1, -1),):
            for found in way:
                if only is None or only(names[found]):
                    self.chosen = names[found]
                    return self.plan.line_of(found)
        return None

    def unwell(self, name: str) -> bool:
        return name in self._scene.board.sick[self._scene.by]

    def at(self, index: int, x: int) -> str | None:
        """The group at a line and a column."""
        what = self.plan.lines[index]
        if isinstance(what, str) or not len(what):
            return None
        if self.plan.detail is Detail.CELLS:
            place = x * self.plan.each * (2 if self.plan.halves else 1)
        else:
            place = x // (self.plan.width + 2)
        return self.plan.names[what[min(place, len(what) - 1)]]


class Worst:
    """What is not well, the worst first."""

    heads = 1

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.troubles: list[Trouble] = []
        self._more = 0

    def refresh(self) -> None:
        found = self._scene.board.troubles()
        self.troubles, self._more = found[:_TROUBLES], max(len(found) - _TROUBLES, 0)

    def __len__(self) -> int:
        return len(self.troubles) or 1

    def head(self, y: int, width: int) -> Line:
        more = f", and {self._more:,} more" if self._more else ""
        return [Span(cut(f"WORST FIRST {len(self.troubles):,}{more}", width), "quiet")]

    def line(self, index: int, width: int) -> Line:
        if not self.troubles:
            said = "all is well" if self._scene.state.loaded else "no state has come yet"
            return [Span(said, TONES[Badness.NONE] if self._scene.state.loaded else "wait")]
        return words.trouble(self.troubles[index])


class Table:
    """The pods that are asked for."""

    heads = 2

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.search = ""
        self.unwell = False
        self.group: str | None = None

    def wanted(self) -> Listing:
        return Listing(self._scene.by, search=self.search, unwell=self.unwell, group=self.group)

    def __len__(self) -> int:
        return len(self._scene.listing)

    def head(self, y: int, width: int) -> Line:
        scene = self._scene
        if y:
            return words.table_head(scene.listing.by, width)
        count, every = len(self), len(scene.board.pods)
        listing = scene.listing  # not what is wanted: that may be on its way
        said = f"{count:,}" if listing.everything else f"{count:,} of {every:,}"
        only = [f"/{visible(listing.search)}"] if listing.search else []
        only += ["not well"] if listing.unwell else []
        only += [f"{listing.by.value} {visible(listing.group)}"] if listing.group is not None else []
        label = f"PODS {said}{' (' + ', '.join(only) + ')' if only else ''}"
        if not count:
            return [Span(cut(f"{label}: {self._why()}", width), "quiet")]
        return [Span(cut(label, width), "quiet")]

    def _why(self) -> str:
        state = self._scene.state
        if not state.loaded:
            return "no state has come yet"
        if self._scene.board.pods:
            return "none matches; Escape shows all"
        if any(fault.startswith("permission:") for fault in state.faults):
            return "the server may not list them, or not all (RBAC)"
        return "none are known; what is shown may be old" if state.stale else "there are none"

    def line(self, index: int, width: int) -> Line:
        scene = self._scene
        row: Row = scene.listing.row(index)
        return words.table_line(
            row, scene.state.pods.get(row.uid, {}), scene.listing.by, width, time=scene.time
        )
