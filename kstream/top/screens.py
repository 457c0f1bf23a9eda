"""What comes before the glance when it is asked for: one object in full, and the keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from kstream.core.errors import KstreamError
from kstream.core.visible import visible
from kstream.top import biography
from kstream.top.panel import Held, Panel
from kstream.top.spans import Line, Span

Json = Mapping[str, Any]

_HELP: Final = (
    ("space", "pause, or play on"),
    ("← →", "10 seconds back, or on"),
    (". s", "one event"),
    ("[ ] - +", "half as fast, twice as fast"),
    ("0", "to the beginning"),
    ("l", "back to the present; of a recording, to its end"),
    ("", ""),
    ("Tab", "another panel: the map, the worst, the pods"),
    ("↑ ↓ PgUp PgDn", "move in it; in the map to the next group"),
    ("n N", "in the map: to the next group that is not well, or the one before"),
    ("Enter", "all of what is chosen, and what happened to it"),
    ("/", "only pods with these words in name, namespace, node, owner or status"),
    ("b", "only pods that are not well"),
    ("f", "only pods of the group that is chosen in the map"),
    ("Escape", "all pods again"),
    ("g", "group by node, namespace, owner"),
    ("m", "the map in less detail"),
    ("?", "this"),
    ("q Ctrl-C", "the end"),
)


class Sheet(ModalScreen[None]):
    """Lines over the glance, until Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", show=False, priority=True),
        Binding("enter", "dismiss", show=False, priority=True),
        Binding("ctrl+c,ctrl+q", "app.leave", show=False, priority=True),
    ]

    def __init__(self, title: str, lines: list[Line]) -> None:
        super().__init__()
        self._title = f"{title}  (Escape closes)"
        self._lines = lines

    def compose(self) -> ComposeResult:
        yield Panel(Held([Span(self._title, "title")], self._lines), id="sheet", cursor=False)

    def on_mount(self) -> None:
        self.panel.focus()

    @property
    def panel(self) -> Panel:
        return self.query_one("#sheet", Panel)

    def show(self, lines: list[Line]) -> None:
        if not self.query("#sheet"):  # it is about to come, or gone again
            return
        self.panel.lines = Held([Span(self._title, "title")], lines)
        self.panel.redraw()


class Help(Sheet):
    def __init__(self) -> None:
        super().__init__("KEYS", [[Span(f"{keys:15}", "title"), Span(what)] for keys, what in _HELP])


class Details(Sheet):
    """One object. `look`: what it is now, None when it is gone; `past`: the versions that it had."""

    def __init__(
        self, title: str, look: Callable[[], Json | None], past: Callable[[], Awaitable[list[Json]]]
    ) -> None:
        super().__init__(visible(title), [])
        self._look = look
        self._past = past
        self._last: Json = {}
        self._gone = False
        self._history: list[Line] = [[Span("asking …", "quiet")]]
        self._asking = False
        self._again = False

    def on_mount(self) -> None:
        super().on_mount()
        self.look()

    def look(self) -> None:
        """It may have changed."""
        if not self.query("#sheet"):
            return
        data = self._look()
        gone = data is None
        if data is self._last or (gone and self._gone):
            return
        self._last, self._gone = data or self._last, gone
        self._write()
        if self._asking:
            self._again = True
        else:
            self.run_worker(self._ask(), exclusive=False)

    async def _ask(self) -> None:
        self._asking = True
        try:
            while True:
                self._again = False
                try:
                    self._history = biography.history(await self._past())
                except KstreamError as error:
                    self._history = [[Span(visible(str(error)), "bad")]]
                self._write()
                if not self._again:
                    break
        finally:
            self._asking = False

    def _write(self) -> None:
        lines = biography.fields(self._last)
        if self._gone:
            lines.insert(0, [Span("It is not there any more; this is how it was seen last.", "wait")])
        self.show([*lines, [], [Span("HISTORY, the newest first", "title")], *self._history])
