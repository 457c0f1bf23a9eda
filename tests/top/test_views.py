"""What the panels show, and a table that stays right while another one is made."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.client.state import ClientState
from kstream.core.timeline.events import Kind
from kstream.top.board import Board, By
from kstream.top.chart import Detail
from kstream.top.views import Map, Scene, Table, Worst
from tests.top.drawn import text_of
from tests.top.feeds import HELLO, event, node, pod, state
from tests.top.test_board import ACTIONS, PODS

STAMP = {"timestamp": "2026-01-24T10:00:02.000Z"}


def scene(nodes: list[Any], pods: list[Any], *, by: By = By.NODE, loaded: bool = True) -> Scene:
    made = Scene(ClientState(), by=by, colours=True)
    if loaded:
        for message in (HELLO, state(nodes, pods)):
            made.state.apply(message)
    for kind, objects in ((Kind.NODE, nodes), (Kind.POD, pods)):
        for _ in made.board.put_all(kind, objects):
            pass
    return made


def listed(made: Scene, table: Table) -> None:
    for _ in made.list(table.wanted()):
        pass


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.builds(event, PODS, ACTIONS), st.sampled_from(("go on", "draw", "list", "state"))),
        max_size=15,
    ),
    st.booleans(),
)
def test_while_another_listing_is_made_the_one_that_is_shown_can_be_drawn(
    steps: list[tuple[Any, str]], unwell: bool
) -> None:
    made = scene([], [pod("web-1"), pod("db-1", "Error")])
    table = Table(made)
    filling = made.list(table.wanted())
    for change, then in steps:
        made.board.follow(change)
        if then == "go on":
            next(filling, None)
        elif then == "list":
            table.unwell = unwell
            filling = made.list(table.wanted())
        elif then == "state":
            made.board = Board()
            filling = made.list(table.wanted())
        made.settle()
        for index in range(len(table)):
            made.listing.row(index)
    for _ in filling:
        pass
    made.settle()
    rows = {made.listing.row(index) for index in range(len(table))}
    assert rows == {row for row in made.board.pods.values() if made.listing.lists(row)} or not steps


@pytest.mark.parametrize(
    ("faults", "pods", "search", "loaded", "said"),
    [
        ((), [], "", False, "PODS 0: no state has come yet"),
        ((), [], "", True, "PODS 0: there are none"),
        ((), [pod("a-1")], "x", True, "PODS 0 of 1 (/x): none matches; Escape shows all"),
        (("permission:list:pods",), [], "", True, "PODS 0: the server may not list them, or not all (RBAC)"),
        ((), [pod("a-1")], "", True, "PODS 1"),
    ],
)
def test_the_table_says_what_it_lists_and_why_it_is_empty(
    faults: tuple[str, ...], pods: list[Any], search: str, loaded: bool, said: str
) -> None:
    made = scene([], pods, loaded=loaded)
    for fault in faults:
        made.state.apply({"type": "error", "error": {"code": "PERMISSION_DENIED", "fault": fault}, **STAMP})
    table = Table(made)
    table.search = search
    listed(made, table)
    assert text_of(table.head(0, 80)) == said


def test_an_empty_table_of_what_may_be_old_says_so() -> None:
    made = scene([], [])
    made.state.disconnected()
    assert "may be old" in text_of(Table(made).head(0, 80))


def test_the_table_says_what_it_leaves_out() -> None:
    made = scene([node("n1")], [pod("a-1"), pod("b-1", "Error")])
    table = Table(made)
    table.unwell, table.group = True, "n1"
    listed(made, table)
    assert text_of(table.head(0, 80)) == "PODS 1 of 2 (not well, node n1)"
    assert text_of(table.head(1, 120)).startswith("NODE")
    assert "b-1" in text_of(table.line(0, 120))


def test_what_is_worst_is_listed_and_what_is_too_much_is_counted() -> None:
    made = scene([], [pod(f"a{number}-1", "Error") for number in range(503)])
    worst = Worst(made)
    worst.refresh()
    assert (len(worst), text_of(worst.head(0, 80))) == (500, "WORST FIRST 500, and 3 more")
    for loaded, said in ((True, "all is well"), (False, "no state has come yet")):
        worst = Worst(scene([], [], loaded=loaded))
        worst.refresh()
        assert (len(worst), text_of(worst.line(0, 80))) == (1, said)


def test_the_map_says_what_a_cell_is_or_which_group_is_chosen() -> None:
    view = Map(scene([node("n1"), node("n2")], [pod("a-1", "Error")]))
    view.refresh()
    assert text_of(view.head(0, 80)) == "MAP by node: a cell is a pod; · well w waiting p pressed X failing"
    view.least = Detail.COUNTS
    assert text_of(view.head(0, 80)) == "MAP by node: pods that are well, and w waiting p pressed X failing"
    view.least = Detail.CELLS
    view.resized(1, 1)
    assert text_of(view.head(0, 80)).startswith("MAP by node: a cell is a node")
    assert view.choose(1) == 0
    assert text_of(view.head(0, 80)) == "MAP n1 Ready: 1 failing"


def test_another_group_is_chosen_by_steps_and_the_next_that_is_not_well() -> None:
    made = scene([node(f"n{number}") for number in range(5)], [pod("a-1", "Error", node="n3")])
    view = Map(made)
    view.refresh()
    chosen = []
    for steps in (1, 1, -1, 99, -99):
        view.choose(steps)
        chosen.append(view.chosen)
    assert chosen == ["n0", "n1", "n0", "n4", "n0"]
    view.choose(1, only=view.unwell)
    assert view.chosen == "n3"
    view.choose(1, only=view.unwell)  # round, to the same
    assert view.chosen == "n3"
    assert view.choose(-1, only=view.unwell) is None
    assert Map(scene([], [])).choose(1) is None


def test_a_group_is_found_where_it_is_drawn() -> None:
    view = Map(scene([node("n1"), node("n2", zone="z2"), node("n3", zone="z2")], []))
    view.refresh()
    assert [view.at(line, 0) for line in range(4)] == [None, "n1", None, "n2"]
    assert view.at(3, view.plan.width + 2) == "n3"
    assert view.at(3, 79) == "n3"
    view.least = Detail.CELLS
    view.resized(2, 1)
    assert view.at(0, 0) in ("n1", None)
