"""The glance in a terminal: what a server says, drawn at most five times a second, and keys that move its time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Input, Static

from kstream.client import Link
from kstream.core.client.state import Json
from kstream.core.errors import KstreamError, UnreachableError
from kstream.core.timeline.events import Kind
from kstream.ports import Clock
from kstream.top import words
from kstream.top.board import By
from kstream.top.chart import Detail
from kstream.top.feed import Feed
from kstream.top.follower import Follower
from kstream.top.mappanel import MapPanel
from kstream.top.panel import Panel, text_style
from kstream.top.screens import Details, Help
from kstream.top.spans import Line, cut
from kstream.top.steering import Steering
from kstream.top.views import Map, Scene, Table, Worst

_REDRAW: Final = 0.2  # seconds between two drawings: more often than a person reads
_KEYS: Final = (
    "? help  q quit  space pause  ←→ 10 s  . step  [ ] speed  l live  / filter  g group  b not well  ⏎ details  "
    "Tab panel"
)


class Top(App[KstreamError]):
    """`run_async` returns the error that ended it, if one did."""

    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual declares it otherwise
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012
    CSS = """
    Screen { layout: vertical; }
    Static { height: 1; }
    #problem { height: auto; max-height: 3; }
    #problem.-none { display: none; }
    #filter { height: 1; border: none; padding: 0; }
    #above { height: 45%; }
    #map { width: 2fr; }
    #worst { width: 1fr; }
    #pods { height: 1fr; }
    Panel { scrollbar-size: 1 1; overflow-x: hidden; }
    .-narrow #above { layout: vertical; height: 60%; }
    .-narrow #map { width: 100%; height: 3fr; }
    .-narrow #worst { width: 100%; height: 2fr; }
    .-short #above { display: none; }
    .-short.-in-above #above { display: block; height: 1fr; }
    .-short Panel { display: none; }
    .-short Panel.-chosen { display: block; width: 100%; height: 1fr; }
    #sheet { width: 100%; height: 100%; }
    Sheet { background: ansi_default; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,ctrl+q", "leave", show=False, priority=True),
        Binding("q", "leave", show=False),
        Binding("space", "pause", show=False),
        Binding("left", "jump(-10)", show=False),
        Binding("right", "jump(10)", show=False),
        Binding("full_stop,s", "step", show=False),
        Binding("left_square_bracket,minus", "speed(0.5)", show=False),
        Binding("right_square_bracket,plus,equals_sign", "speed(2.0)", show=False),
        Binding("0", "beginning", show=False),
        Binding("l", "live", show=False),
        Binding("tab", "panel(1)", show=False, priority=True),
        Binding("shift+tab", "panel(-1)", show=False, priority=True),
        Binding("n", "unwell(1)", show=False),
        Binding("N", "unwell(-1)", show=False),
        Binding(
            "slash", "filter", show=False, priority=True
        ),  # what is typed at once after it is of the filter
        Binding("escape", "all", show=False),
        Binding("b", "bad", show=False),
        Binding("f", "only", show=False),
        Binding("g", "group", show=False),
        Binding("m", "detail", show=False),
        Binding("question_mark", "keys", show=False),
    ]

    def __init__(self, feed: Feed, clock: Clock, *, by: By = By.NODE) -> None:
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self._feed = feed
        self._clock = clock
        self._scene = Scene(feed.state, by=by, colours=not self.no_color)
        self._map, self._worst, self._table = Map(self._scene), Worst(self._scene), Table(self._scene)
        self._steering = Steering()
        self._follower = Follower(self._scene)
        self._changed = True
        self._link = feed.status
        self._retry_at = 0.0
        self._drawn_second = -1

    def compose(self) -> ComposeResult:
        yield Static(id="header", markup=False)
        yield Static(id="tiles", markup=False)
        yield Static(id="problem", markup=False, classes="-none")
        with Horizontal(id="above"):
            yield MapPanel(self._map)
            yield Panel(self._worst, id="worst")
        yield Panel(self._table, id="pods")
        yield Input(
            id="filter",
            placeholder="words; Enter keeps, Escape shows all",
        )
        yield Static(id="keys", markup=False)

    def on_mount(self) -> None:
        self._field.display = False
        self._choose_panel("map")
        self.set_interval(_REDRAW, self.redraw)
        self.run_worker(self._follow(), group="feed")

    def on_resize(self, event: Resize) -> None:
        self._changed = True
        self.call_after_refresh(self.redraw)

    # What the server says

    async def _follow(self) -> None:
        try:
            async for message in self._feed.messages():
                self._steering.heard(message["type"])
                for _ in self._follower.take(message, now=self._clock.monotonic()):
                    await asyncio.sleep(0)
                if message["type"] == "initial_state":
                    self._relist()
                self._changed = True
        except KstreamError as error:
            self.exit(error)

    def _relist(self) -> None:
        self.run_worker(self._fill(), group="listing", exclusive=True)

    async def _fill(self) -> None:
        """The table anew, in pieces; what is shown stays until it is there."""
        for _ in self._scene.list(self._table.wanted()):
            await asyncio.sleep(0)
        self._changed = True

    # Drawing

    def redraw(self) -> None:
        """What has changed since it was drawn last."""
        now = self._clock.monotonic()
        self._steer(now)
        status = self._feed.status
        if status != self._link:
            self._link, self._retry_at, self._changed = status, now + status.wait, True
        if not self._changed and int(now) == self._drawn_second:
            return
        self._changed, self._drawn_second = False, int(now)
        scene, state = self._scene, self._feed.state
        scene.time = self._follower.moment.time(now, state.playback, running=not state.stale)
        scene.settle()
        self._worst.refresh()
        self._map.refresh()
        head = words.header(state, status, time=scene.time, wait=self._retry_at - now)
        self._say("header", head)
        self._say("tiles", words.tiles(scene.board, state, self._follower.rate.total(now=now)))
        self._arrange()
        problem = words.problem(state, status)
        self.glance.query_one("#problem").set_class(problem is None, "-none")
        self._say("problem", problem or [])
        self._say("keys", [])
        for panel in self.glance.query(Panel):
            panel.redraw()
        if isinstance(self.screen, Details):
            self.screen.look()

    @property
    def glance(self) -> Screen[Any]:
        """Also while a sheet is before it."""
        return self.screen_stack[0]

    def _arrange(self) -> None:
        """The map has the room that it needs, and no more than half."""
        above = self.glance.query_one("#above")
        if self.glance.has_class("-wide") and self.glance.has_class("-tall"):
            room = self.size.height * 9 // 20
            self._map.resized(self._panel("map").scrollable_content_region.width, room - self._map.heads)
            wanted = max(len(self._map) + self._map.heads, min(len(self._worst) + self._worst.heads, 9))
            if above.styles.height is None or above.styles.height.value != min(wanted, room):
                above.styles.height = min(wanted, room)
        elif above.styles.inline.has_rule("height"):
            above.styles.inline.clear_rule("height")

    def _say(self, where: str, line: Line) -> None:
        widget = self.glance.query_one(f"#{where}", Static)
        if where == "keys":
            text = Text(cut(_KEYS, self.size.width), style=text_style("quiet"))
        else:
            text = Text.assemble(*((span.text, text_style(span.tone)) for span in line))
        if where != "problem":
            text.truncate(max(self.size.width, 1), overflow="ellipsis")
        if str(text) != str(widget.content) or text != widget.content:
            widget.update(text, layout=where == "problem")

    # Time

    def _steer(self, now: float) -> None:
        if self._feed.status.link is not Link.CONNECTED:
            return
        command = self._steering.due(now)
        if command is not None:
            self.run_worker(self._send(command), group="time")

    async def _send(self, command: Any) -> None:
        try:
            await self._feed.command(command)
        except UnreachableError as gone:
            self.notify(str(gone), severity="warning", markup=False)

    def action_pause(self) -> None:
        self._steering.toggle(self._feed.state.playback)

    def action_jump(self, seconds: float) -> None:
        self._steering.jump(seconds)

    def action_step(self) -> None:
        self._steering.step()

    def action_speed(self, factor: float) -> None:
        self._steering.scale(factor, self._feed.state.playback)

    def action_beginning(self) -> None:
        playback = self._feed.state.playback or {}
        self._steering.go_to(str(playback.get("start") or "1970-01-01T00:00:00Z"))

    def action_live(self) -> None:
        self._steering.live()

    # What is looked at

    def action_panel(self, steps: int) -> None:
        names = ["map", "worst", "pods"]
        here = next((name for name in names if self._panel(name).has_class("-chosen")), "map")
        self._choose_panel(names[(names.index(here) + steps) % len(names)])

    def _choose_panel(self, name: str) -> None:
        for panel in self.glance.query(Panel):
            panel.set_class(panel.id == name, "-chosen")
        self.glance.set_class(name != "pods", "-in-above")
        panel = self._panel(name)
        if panel.focusable:
            self.glance.set_focus(panel)
        else:
            panel.focus()  # as soon as it is there
        self._changed = True
        self.call_after_refresh(self.redraw)

    @property
    def _field(self) -> Input:
        return self.glance.query_one("#filter", Input)

    def _panel(self, name: str) -> Panel:
        return self.glance.query_one(f"#{name}", Panel)

    def action_unwell(self, steps: int) -> None:
        self._choose_panel("map")
        panel = self._panel("map")
        assert isinstance(panel, MapPanel)
        panel.next_unwell(steps)

    def action_group(self) -> None:
        order = list(By)
        self._scene.by = order[(order.index(self._scene.by) + 1) % len(order)]
        self._map.chosen = self._table.group = None
        self._relist()
        self._changed = True

    def action_detail(self) -> None:
        order = list(Detail)
        self._map.least = order[(order.index(self._map.least) + 1) % len(order)]
        self._changed = True

    def action_bad(self) -> None:
        self._table.unwell = not self._table.unwell
        self._relist()

    def action_only(self) -> None:
        chosen = self._map.chosen
        self._table.group = chosen if self._table.group != chosen else None
        self._relist()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the filter a slash is a letter."""
        return action != "filter" or not self._field.has_focus

    def action_filter(self) -> None:
        # Now, and not with the next drawing: the next key is a letter of it.
        field = self._field
        field.display = True
        self.glance.set_focus(field)

    def action_all(self) -> None:
        field = self._field
        if self._table.search or self._table.unwell or self._table.group is not None or field.has_focus:
            self._table.unwell, self._table.group = False, None
            field.value = ""
            self._close_filter()
            self._relist()
        self._map.chosen = None
        self._changed = True

    def _close_filter(self) -> None:
        self._field.display = False
        self._choose_panel("pods")

    def on_input_changed(self, event: Input.Changed) -> None:
        self._table.search = event.value
        self._relist()

    def on_input_submitted(self) -> None:
        self._close_filter()

    def on_panel_picked(self, event: Panel.Picked) -> None:
        match event.panel.id:
            case "pods" if len(self._table):
                self._open(Kind.POD, self._scene.listing.row(event.panel.cursor).uid)
            case "worst" if self._worst.troubles:
                trouble = self._worst.troubles[min(event.panel.cursor, len(self._worst.troubles) - 1)]
                self._open(trouble.kind, trouble.example)
            case "map" if self._map.chosen is not None:
                self._open_group(self._map.chosen)

    def _open_group(self, name: str) -> None:
        scene = self._scene
        if scene.by is By.NODE and name in scene.board.node_named:
            self._open(Kind.NODE, scene.board.node_named[name].uid)
            return
        spaces: Mapping[str, Json] = self._feed.state.namespaces if scene.by is By.NAMESPACE else {}
        uid = next((uid for uid, space in spaces.items() if space.get("name") == name), None)
        if uid is not None:
            self._open(Kind.NAMESPACE, uid)
        else:
            self.action_only()

    def _open(self, kind: Kind, uid: str) -> None:
        state = self._feed.state

        def look() -> Json | None:
            held = state.pods if kind is Kind.POD else state.nodes if kind is Kind.NODE else state.namespaces
            return held.get(uid)

        async def past() -> list[Any]:
            return await self._feed.history(uid, state.seq)

        data = look() or {}
        place = f"{data['namespace']}/{data.get('name')}" if data.get("namespace") else str(data.get("name"))
        self.push_screen(Details(f"{kind.value} {place}", look, past))

    def action_keys(self) -> None:
        self.push_screen(Help())

    def action_leave(self) -> None:
        self.exit()
