"""The map: every pod or every group as a cell, in as much detail as there is room for.

Where all pods fit each is a cell behind the name of its group; else each group has its counts, in a list that is at
most twice as long as what is in sight; else each group is a cell, as bad as the worst that is in it; and where even
these do not fit a cell stands for several.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import groupby
from typing import Final, NamedTuple

from kstream.core.timeline.wellness import Badness
from kstream.core.visible import visible
from kstream.top.board import Board, By, Group
from kstream.top.spans import LETTERS, TONES, WORDS, Line, Span, cut

_LABEL: Final = 24  # columns of a name, at most
_GAP: Final = 2
_SCREENS: Final = 2  # that counts may fill: they say so much more than cells
_PODS_IN_A_ROW: Final = 60  # cells of one group in one line, at most
_HALF: Final = "▀"
_LOWER: Final = "▄"


class Detail(Enum):
    """How much of each group is drawn."""

    PODS = "pods"
    COUNTS = "counts"
    CELLS = "cells"


class Plan(NamedTuple):
    """Where which group is drawn. `lines[i]`: the title of a section, or the indices of the groups in that line."""

    detail: Detail
    names: Sequence[str]
    lines: Sequence[str | range]
    width: int  # of one group, in columns
    label: int  # of its name
    each: int  # groups that one cell stands for
    halves: bool  # two cells in one character, above each other

    def line_of(self, index: int) -> int:
        """Where that group is."""
        for number, line in enumerate(self.lines):
            if isinstance(line, range) and index in line:
                return number
        return 0


def plan(
    board: Board, by: By, width: int, height: int, *, colours: bool, least: Detail = Detail.PODS
) -> Plan:
    """The most detail that fits into `width` columns and `height` lines, but no more than `least`.

    `colours`: where they can be told apart, two cells share a character when room is scarce.
    """
    width, height = max(width, 1), max(height, 1)  # what is not displayed has no room
    sections = _sections(board, by)
    names = [name for _, some in sections for name in some]
    sizes = [len(some) for _, some in sections]
    titles = [visible(title) for title, _ in sections] if len(sections) > 1 else [""]
    label = min(max((len(visible(name)) for name in names), default=0), _LABEL, max(width // 2, 8))
    most = max((len(group.pods) for group in board.groups[by].values()), default=0)
    cells = min(most, _PODS_IN_A_ROW, max(width - label - 1, 1))
    if least is Detail.PODS and most <= cells:
        made = _laid(Detail.PODS, names, titles, sizes, width, label, label + 1 + cells)
        if len(made.lines) <= height:
            return made
    # Less than this no counts take: where it does not fit none is counted.
    least_counts = _laid(Detail.COUNTS, names, titles, sizes, width, label, label + 4)
    if least is Detail.COUNTS or (least is Detail.PODS and len(least_counts.lines) <= _SCREENS * height):
        counts = max((len(_counted(board.groups[by].get(name))) for name in names), default=0)
        made = _laid(Detail.COUNTS, names, titles, sizes, width, label, min(label + 1 + counts, width))
        if len(made.lines) <= _SCREENS * height or least is Detail.COUNTS:
            return made
    return _cells(names, titles, sizes, width, height, colours)


def draw(made: Plan, board: Board, by: By, line: int, *, chosen: str | None = None) -> Line:
    """One line of the map."""
    what = made.lines[line]
    if isinstance(what, str):
        return [Span(what, "title")]
    groups = board.groups[by]
    if made.detail is Detail.CELLS:
        return _drawn_cells(made, what, board, by, chosen)
    out: Line = []
    for index in what:
        name = made.names[index]
        group = groups.get(name)
        node = board.node_named.get(name) if by is By.NODE else None
        tone = "chosen" if name == chosen else TONES[node.badness] if node is not None else ""
        out.append(Span(cut(visible(name), made.label).ljust(made.label), tone))
        mark = LETTERS[node.badness] if node is not None and node.badness > Badness.NONE else " "
        out.append(Span(mark, TONES[node.badness] if node is not None else ""))
        room = made.width - made.label - 1
        used = 0
        if made.detail is Detail.PODS and group is not None:
            pods = sorted(group.pods.values(), key=lambda row: (row.namespace, row.name))
            for badness, some in groupby(pods, key=lambda row: row.badness):
                text = LETTERS[badness] * len(list(some))
                used += len(text)
                out.append(Span(text, TONES[badness]))
        elif made.detail is Detail.COUNTS:
            counted = _parts(group)
            used = sum(len(span.text) for span in counted)
            out += counted
        out.append(Span(" " * (max(room - used, 0) + _GAP), ""))
    return out


def said(board: Board, by: By, name: str) -> str:
    """A group in words: how it is, and how many of its pods are how."""
    group = board.groups[by].get(name) or Group()
    node = board.node_named.get(name) if by is By.NODE else None
    status = f" {node.status}:" if node is not None else ":"
    parts = [f"{count:,} {word}" for word, count in zip(WORDS, group.tones, strict=True) if count]
    return f"{name}{status} {', '.join(parts) or 'no pods'}"


def _sections(board: Board, by: By) -> list[tuple[str, list[str]]]:
    names = board.groups[by]
    if by is not By.NODE:
        return [("", sorted(names))] if names else []
    named = board.node_named
    known = sorted((named[name].section if name in named else "~", name) for name in names)
    return [
        ("" if title == "~" else title, [name for _, name in some])
        for title, some in groupby(known, key=lambda each: each[0])
    ]


def _laid(
    detail: Detail, names: list[str], titles: list[str], sizes: list[int], width: int, label: int, wide: int
) -> Plan:
    columns = max((width + _GAP) // (wide + _GAP), 1)
    lines: list[str | range] = []
    start = 0
    for title, size in zip(titles, sizes, strict=False):
        if title:
            lines.append(title)
        lines += [range(at, min(at + columns, start + size)) for at in range(start, start + size, columns)]
        start += size
    return Plan(detail, names, lines, wide, label, 1, halves=False)


def _cells(
    names: list[str], titles: list[str], sizes: list[int], width: int, height: int, colours: bool
) -> Plan:
    """Each a character; then two in one, if colours tell them apart; then several groups in a cell."""
    each = 1
    while True:
        for halves in (False, True) if colours else (False,):
            per_line = width * each * (2 if halves else 1)
            lines: list[str | range] = []
            start = 0
            for title, size in zip(titles, sizes, strict=False):
                if title:
                    lines.append(title)
                lines += [
                    range(at, min(at + per_line, start + size)) for at in range(start, start + size, per_line)
                ]
                start += size
            if len(lines) <= height or each >= max(len(names), 1):
                return Plan(Detail.CELLS, names, lines, 1, 0, each, halves)
        each += 1


def _drawn_cells(made: Plan, what: range, board: Board, by: By, chosen: str | None) -> Line:
    sick, names = board.sick[by], made.names
    bad = [sick.get(names[index], Badness.NONE) for index in what]
    if made.each > 1:
        bad = [max(bad[at : at + made.each]) for at in range(0, len(bad), made.each)]
    tones = [TONES[each] for each in bad]
    where = next((at for at, index in enumerate(what) if names[index] == chosen), None) if chosen else None
    if where is not None:
        tones[where // made.each] = "chosen"
    if not made.halves:
        text = "".join(LETTERS[each] for each in bad)
        return list(_runs(Span(letter, tone) for letter, tone in zip(text, tones, strict=True)))
    if len(tones) % 2:
        tones.append("")
    return list(_runs(_halved(upper, lower) for upper, lower in zip(tones[::2], tones[1::2], strict=True)))


def _halved(upper: str, lower: str) -> Span:
    if "chosen" in (upper, lower):
        return Span(_HALF if upper == "chosen" else _LOWER, "chosen")
    return Span(_HALF, upper, lower)


def _runs(spans: Iterator[Span]) -> Iterator[Span]:
    """Neighbours that look the same, as one."""
    for (tone, under), some in groupby(spans, key=lambda span: span[1:]):
        yield Span("".join(span.text for span in some), tone, under)


def _parts(group: Group | None) -> Line:
    tones = group.tones if group is not None else [0] * len(Badness)
    out = [Span(str(tones[Badness.NONE]), TONES[Badness.NONE])]
    out += [Span(f" {tones[each]}{LETTERS[each]}", TONES[each]) for each in Badness if each and tones[each]]
    return out


def _counted(group: Group | None) -> str:
    return "".join(span.text for span in _parts(group))
