"""The map in its panel: its cursor is a group, and its line is the one that the group is in."""

from __future__ import annotations

from kstream.top.panel import Panel
from kstream.top.views import Map


class MapPanel(Panel):
    """The map, whose cursor is a group."""

    def __init__(self, view: Map) -> None:
        super().__init__(view, id="map", cursor=False)
        self.view = view

    def redraw(self) -> None:
        if not self.screen.has_class("-wide") or not self.screen.has_class("-tall"):
            self.view.resized(self.scrollable_content_region.width, self.size.height - self.view.heads)
        super().redraw()

    def action_go(self, steps: int) -> None:
        self.show(self.view.choose(steps))

    def action_page(self, pages: int) -> None:
        made = self.view.plan
        longest = max((len(line) for line in made.lines if isinstance(line, range)), default=1)
        self.show(self.view.choose(pages * longest))

    def action_end(self, which: int) -> None:
        self.show(self.view.choose(which * len(self.view.plan.names)))

    def next_unwell(self, steps: int) -> None:
        self.show(self.view.choose(steps, only=self.view.unwell))

    def show(self, line: int | None) -> None:
        if (
            line is not None
            and not self.scroll_offset.y <= line < self.scroll_offset.y + self.size.height - 1
        ):
            self.scroll_to(y=line, animate=False, immediate=True)
        self.redraw()

    def clicked(self, index: int, x: int) -> None:
        self.view.chosen = self.view.at(index, x) or self.view.chosen
        self.redraw()
