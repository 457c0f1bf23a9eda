"""A list of any length in a terminal: only what is in sight is made, and only what differs is drawn again."""

from __future__ import annotations

from functools import cache
from typing import Final, Protocol

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from kstream.top.spans import Line

# Of the sixteen colours that each terminal has, so that they are the reader's own.
_STYLES: Final = {
    "": Style(),
    "good": Style(color="green"),
    "wait": Style(color="yellow"),
    "pressed": Style(color="magenta", bold=True),
    "bad": Style(color="bright_red", bold=True, reverse=True),
    "title": Style(bold=True),
    "quiet": Style(color="cyan"),
    "chosen": Style(reverse=True, bold=True),
}
_COLOURS: Final = {"good": "green", "wait": "yellow", "pressed": "magenta", "bad": "bright_red"}
_CURSOR: Final = Style(reverse=True)
_FOCUS: Final = Style(bold=True, reverse=True)


class Lines(Protocol):
    """What a panel shows."""

    def __len__(self) -> int: ...

    @property
    def heads(self) -> int:
        """How many lines stand above it and do not move."""
        ...

    def head(self, y: int, width: int) -> Line: ...

    def line(self, index: int, width: int) -> Line: ...


class Panel(ScrollView, inherit_bindings=False, can_focus=True):
    """`Lines`, a head, and a cursor that the keys move."""

    BINDINGS = [  # noqa: RUF012 - as Textual has it
        Binding("up", "go(-1)", show=False),
        Binding("down", "go(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "end(-1)", show=False),
        Binding("end", "end(1)", show=False),
        Binding("enter", "pick", show=False),
    ]

    class Picked(Message):
        """Enter, or a second click."""

        def __init__(self, panel: Panel) -> None:
            super().__init__()
            self.panel = panel

        @property
        def control(self) -> Panel:
            return self.panel

    def __init__(self, lines: Lines, *, id: str, cursor: bool = True) -> None:
        super().__init__(id=id)
        self.lines = lines
        self.cursor = 0
        self._has_cursor = cursor
        self._drawn: list[Line] = []
        self._drawn_at = (-1, -1)  # how far it was scrolled, and how wide it was

    def redraw(self) -> None:
        """What it shows may have changed."""
        if not self.display or not self.size.height:
            return
        size = Size(self.size.width, len(self.lines) + self.lines.heads)
        if size != self.virtual_size:
            self.virtual_size = size
        self.cursor = min(self.cursor, max(len(self.lines) - 1, 0))
        now = [self._line(y) for y in range(self.size.height)]
        for y, line in enumerate(now):
            if y >= len(self._drawn) or self._drawn[y] != line:
                self.refresh(Region(0, y, self.size.width, 1))
        self._drawn, self._drawn_at = now, self._seen_from()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        segments = [Segment(text, _style(tone, under)) for text, tone, under in self._known(y)]
        strip = Strip(segments).adjust_cell_length(width)
        if self.has_focus and not y:
            strip = strip.apply_style(_FOCUS)
        elif self._has_cursor and self.has_focus and self._index(y) == self.cursor:
            strip = strip.apply_style(_CURSOR)
        return strip

    def to(self, index: int) -> None:
        """The cursor, and what is in sight, if need be."""
        self.cursor = min(max(index, 0), max(len(self.lines) - 1, 0))
        room = max(self.size.height - self.lines.heads, 1)
        top = self.scroll_offset.y
        if not self._has_cursor or self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True)
        elif self.cursor >= top + room:
            self.scroll_to(y=self.cursor - room + 1, animate=False, immediate=True)
        self.refresh()

    def action_go(self, steps: int) -> None:
        self.to((self.cursor if self._has_cursor else self.scroll_offset.y) + steps)

    def action_page(self, pages: int) -> None:
        self.action_go(pages * max(self.size.height - self.lines.heads - 1, 1))

    def action_end(self, which: int) -> None:
        self.to(0 if which < 0 else len(self.lines) - 1)

    def action_pick(self) -> None:
        if len(self.lines):
            self.post_message(self.Picked(self))

    def on_click(self, event: events.Click) -> None:
        index = self._index(event.y)
        if 0 <= index < len(self.lines):
            self.clicked(index, event.x)
            if event.chain > 1:
                self.action_pick()

    def clicked(self, index: int, x: int) -> None:
        """The mouse was at that line, at that column."""
        self.to(index)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_resize(self) -> None:
        self.redraw()

    def _index(self, y: int) -> int:
        return self.scroll_offset.y + y - self.lines.heads if y >= self.lines.heads else -1

    def _seen_from(self) -> tuple[int, int]:
        return self.scroll_offset.y, self.scrollable_content_region.width

    def _known(self, y: int) -> Line:
        """As it was compared with what is on the screen; made now only where it is looked at otherwise since."""
        known = self._drawn_at == self._seen_from() and y < len(self._drawn)
        return self._drawn[y] if known else self._line(y)

    def _line(self, y: int) -> Line:
        width = self.scrollable_content_region.width
        if y < self.lines.heads:
            return self.lines.head(y, width)
        index = self._index(y)
        return self.lines.line(index, width) if index < len(self.lines) else []


class Held:
    """Lines that are there already."""

    heads = 1

    def __init__(self, title: Line, lines: list[Line]) -> None:
        self._title = title
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def head(self, y: int, width: int) -> Line:
        return self._title

    def line(self, index: int, width: int) -> Line:
        return self._lines[index]


@cache
def _style(tone: str, under: str) -> Style:
    if not under:
        return _STYLES[tone]
    return Style(color=_COLOURS.get(tone), bgcolor=_COLOURS.get(under))


def text_style(tone: str) -> Style:
    """How a tone is shown."""
    return _STYLES[tone]
