"""The glance as a person uses it: keys in, what is on the screen out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest

pytest.importorskip("textual", reason="the extra `tui` is not installed")

from textual.pilot import Pilot

from kstream.client import Link, Status
from kstream.clock import VirtualClock
from kstream.core.errors import ForbiddenError, KstreamError
from kstream.top.app import Top
from kstream.top.board import By
from kstream.top.panel import Panel
from kstream.top.steering import Command
from tests.top.feeds import HELLO, Scripted, event, node, pod, state

NODES = [node("n1"), node("n2", "NotReady", zone="z2")]
PODS = [pod("web-1"), pod("web-2", "CrashLoopBackOff", node="n2"), pod("db-1", namespace="data")]
PLAYING = {
    "type": "playback",
    "timestamp": "2026-01-24T10:00:02.000Z",
    "data": {
        "state": "paused",
        "speed": 1.0,
        "at": "x",
        "start": "2026-01-24T09:00:00Z",
        "end": "x",
        "id": "t1",
    },
}


class Watcher(NamedTuple):
    """Somebody in front of it."""

    app: Top
    pilot: Pilot[KstreamError]
    feed: Scripted
    clock: VirtualClock

    async def press(self, *keys: str) -> str:
        await self.pilot.press(*keys)
        return await self.sees()

    async def sees(self) -> str:
        """All that is on the screen, after it was drawn."""
        await self.pilot.pause()
        self.app.redraw()
        await self.pilot.pause()
        shown = [each for each in self.app.screen.query("Static, Panel, Input") if each.region.height]
        return "\n".join(each.render_line(y).text for each in shown for y in range(each.size.height))

    async def hears(self, *messages: dict[str, Any]) -> str:
        for message in messages:
            self.feed.say(message)
        return await self.sees()


@asynccontextmanager
async def watching(
    *messages: dict[str, Any], size: tuple[int, int] = (120, 36), by: By = By.NODE
) -> AsyncIterator[Watcher]:
    feed, clock = Scripted(*(messages or (HELLO, state(NODES, PODS)))), VirtualClock()
    app = Top(feed, clock, by=by)
    async with app.run_test(size=size) as pilot:
        yield Watcher(app, pilot, feed, clock)


async def test_it_shows_what_there_is_and_what_is_worst_and_follows_it() -> None:
    async with watching() as person:
        seen = await person.sees()
        for text in (
            "tea v1.36.0 live  [connected]",
            "nodes 1/2 ready  pods 3  X 1 failing  · 2 well",
            "X NotReady  node n2",
            "X CrashLoopBackOff  Deployment shop/web",
            "n1 ··",
            "n2XX",
            "web-1",
        ):
            assert text in seen
        seen = await person.hears(event(pod("web-1", "Error")), event(pod("new-1", "Pending"), "ADDED"))
        assert "pods 4  X 2 failing  w 1 waiting" in seen
        assert "new-1" in seen
        seen = await person.hears({**HELLO, "status": "reconnecting"})
        assert "[stale: the server has lost the cluster]" in seen


async def test_the_table_is_filtered_and_grouped_by_keys() -> None:
    async with watching() as person:
        seen = await person.press("slash", *"crash")
        assert "PODS 1 of 3 (/crash)" in seen
        assert "/crash" in await person.press("enter")
        assert "PODS 3" in await person.press("escape")
        assert "PODS 1 of 3 (not well)" in await person.press("b")
        assert "MAP by namespace" in await person.press("escape", "g")
        assert "MAP by owner" in await person.press("g")
        assert "PODS 0 of 3 (/x/): none matches" in await person.press("slash", "x", "slash")
        assert "PODS 3" in await person.press("escape")
        assert "PODS 2 of 3 (node n1)" in await person.press("g", "tab", "down", "f")


async def test_the_keys_of_time_are_commands_and_the_header_says_what_came_of_them() -> None:
    async with watching() as person:
        person.feed.status = Status(Link.CONNECTED)
        for key, command in {
            "space": Command("pause"),
            "left": Command("seek", at="-10s"),
            "full_stop": Command("step"),
            "right_square_bracket": Command("play", speed=2.0),
            "minus": Command("play", speed=0.5),
            "0": Command("seek", at="2026-01-24T09:00:00Z"),
            "l": Command("live"),
        }.items():
            await person.press(key)
            assert person.feed.commands.pop() == command
            seen = await person.hears(PLAYING, state(NODES, PODS))
            assert "⏸ paused 1x" in seen
        person.feed.status = Status(Link.WAITING, "gone", 4.0)
        seen = await person.press("space")
        assert "[reconnecting in 4 s]" in seen
        assert "The server is gone: gone." in seen
        assert person.feed.commands == []
        person.feed.status = Status(Link.CONNECTED)
        await person.sees()
        assert person.feed.commands == [Command("play")]


async def test_one_object_is_shown_in_full_with_its_history_until_escape() -> None:
    async with watching() as person:
        person.feed.past = [{"seq": 7, "time": "09:59", "action": "ADDED"}]
        seen = await person.press("tab", "tab", "down", "enter")
        assert "pod shop/web-1" in seen
        assert "09:59  ADDED     seq 7" in seen
        assert person.feed.asked == [("u-web-1", 10)]
        seen = await person.hears(event(pod("web-1", "Error")))
        assert "status: Error" in seen
        assert person.feed.asked == [("u-web-1", 10), ("u-web-1", 11)]
        seen = await person.hears(event({"uid": "u-web-1", "name": "web-1"}, "DELETED"))
        assert "It is not there any more" in seen
        assert "MAP by node" in await person.press("escape")
        person.feed.past = KstreamError("no longer kept")
        assert "no longer kept" in await person.press("shift+tab", "enter")


async def test_groups_are_chosen_in_the_map_and_opened() -> None:
    async with watching() as person:
        seen = await person.press("n")
        assert "MAP n2 NotReady: 1 failing" in seen
        assert "node n2" in await person.press("enter")
        assert "namespace shop" in await person.press("escape", "g", "down", "down", "enter")
        assert "PODS 1 of 3 (owner Deployment data/db)" in await person.press("escape", "g", "down", "enter")
        assert "MAP by owner: pods that are well" in await person.press("escape", "m")
        assert "MAP by owner: a cell is a owner" in await person.press("m")
        await person.press("home", "end", "pageup", "pagedown", "N")
        await person.pilot.click("#map", offset=(0, 1))
        assert "MAP Deployment data/db" in await person.sees()


async def test_the_mouse_chooses_and_a_second_click_opens() -> None:
    async with watching() as person:
        await person.sees()
        await person.pilot.click("#pods", offset=(3, 3))
        assert person.app.query_one("#pods", Panel).cursor == 1
        await person.pilot.click("#pods", offset=(3, 0))
        await person.pilot.double_click("#pods", offset=(3, 2))
        assert "pod data/db-1" in await person.sees()


async def test_a_long_list_is_moved_in_and_the_cursor_stays_in_it() -> None:
    pods = [pod(f"a-{number:03}") for number in range(200)]
    async with watching(HELLO, state([node("n1")], pods)) as person:
        assert "a-199" in await person.press("tab", "tab", "end")
        assert "a-000" in await person.press("home")
        assert "a-020" in await person.press("pagedown")
        await person.press("up", "up", "end")
        await person.hears(state([], pods[:3]))
        assert person.app.query_one("#pods", Panel).cursor == 2


@pytest.mark.parametrize(("size", "above"), [((80, 24), True), ((40, 12), False)])
async def test_in_a_small_terminal_there_is_less_and_nothing_is_lost(
    size: tuple[int, int], above: bool
) -> None:
    async with watching(size=size) as person:
        seen = await person.sees()
        assert "MAP" in seen
        assert ("WORST FIRST" in seen and "PODS 3" in seen) is above
        assert "WORST FIRST 2" in await person.press("tab")
        assert "PODS 3" in await person.press("tab")
        await person.pilot.resize_terminal(120, 36)
        seen = await person.sees()
        assert "MAP" in seen
        assert "PODS 3" in seen


async def test_the_keys_are_told_and_nothing_is_done_by_them_there() -> None:
    async with watching() as person:
        assert "10 seconds back, or on" in await person.press("question_mark")
        assert "MAP by node" in await person.press("q")
        assert person.app.is_running


@pytest.mark.parametrize("keys", [("q",), ("ctrl+c",), ("question_mark", "ctrl+c"), ("slash", "ctrl+c")])
async def test_it_ends_by_a_key_from_everywhere(keys: tuple[str, ...]) -> None:
    async with watching() as person:
        await person.pilot.press(*keys)
    assert person.app.return_code == 0


async def test_what_ends_the_feed_ends_it() -> None:
    async with watching() as person:
        person.feed.say(ForbiddenError("no"))
        await person.pilot.pause()
    assert isinstance(person.app.return_value, ForbiddenError)


async def test_without_colours_letters_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    nodes = [node(f"n{number:04}", "NotReady" if number == 9 else "Ready") for number in range(2000)]
    async with watching(HELLO, state(nodes, [])) as person:
        seen = await person.sees()
        assert "X" in seen.split("MAP")[1].split("PODS")[0]
        assert "▀" not in seen
