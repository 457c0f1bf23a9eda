"""The map: as much detail as there is room for, and nobody who is not well is lost in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.top.board import Board, By
from kstream.top.chart import Detail, Plan, draw, plan, said
from kstream.top.spans import Span
from tests.top.drawn import text_of
from tests.top.feeds import node, pod
from tests.top.test_board import board


def drawn(made: Plan, of: Board, by: By = By.NODE, chosen: str | None = None) -> list[str]:
    return [text_of(draw(made, of, by, line, chosen=chosen)).rstrip() for line in range(len(made.lines))]


def small() -> Board:
    return board(
        pod("a-1"),
        pod("b-1", "Error"),
        pod("c-1", "Pending", node=None),
        pod("d-1", "Evicted", node="n2"),
        nodes=(node("n1"), node("n2", "NotReady", zone="z2"), node("n3", zone="z2")),
    )


def large(count: int = 100) -> Board:
    return board(
        *(pod(f"a-{i}", "Error" if i == 70 else "Running", node=f"n{i:02}") for i in range(count)),
        nodes=tuple(node(f"n{i:02}") for i in range(count)),
    )


def test_where_all_fit_each_pod_is_a_cell_behind_its_node_by_zone() -> None:
    of = small()
    made = plan(of, By.NODE, 60, 10, colours=True)
    assert made.detail is Detail.PODS
    assert drawn(made, of) == ["z1", "n1        ·X", "z2", "n2       Xp   n3", "(no node) w"]
    assert Span("X", "bad") in draw(made, of, By.NODE, 1)


def test_other_groups_have_no_sections() -> None:
    of = small()
    assert drawn(plan(of, By.NAMESPACE, 60, 10, colours=True), of, By.NAMESPACE) == ["shop ·Xwp"]


def test_where_pods_do_not_fit_they_are_counted() -> None:
    of = board(
        *(pod(f"a-{i}", "Error" if i < 3 else "Running", node="n1") for i in range(90)), nodes=(node("n1"),)
    )
    made = plan(of, By.NODE, 40, 5, colours=True)
    assert made.detail is Detail.COUNTS
    assert drawn(made, of) == ["n1 87 3X"]


def test_where_counts_do_not_fit_a_group_is_a_cell_as_bad_as_the_worst_in_it() -> None:
    of = large()
    made = plan(of, By.NODE, 20, 5, colours=False)
    assert (made.detail, made.each) == (Detail.CELLS, 1)
    assert drawn(made, of) == ["·" * 20] * 3 + ["·" * 10 + "X" + "·" * 9, "·" * 20]


def test_colours_tell_two_cells_apart_in_one_character() -> None:
    of = large()
    made = plan(of, By.NODE, 20, 3, colours=True)
    assert (made.halves, made.each) == (True, 1)
    assert draw(made, of, By.NODE, 1) == [
        Span("▀" * 15, "good", "good"),
        Span("▀", "bad", "good"),
        Span("▀" * 4, "good", "good"),
    ]
    assert draw(made, of, By.NODE, 1, chosen="n70")[1] == Span("▀", "chosen")
    assert draw(made, of, By.NODE, 1, chosen="n71")[1] == Span("▄", "chosen")


def test_an_odd_number_of_halves_ends_with_one() -> None:
    of = large(41)
    made = plan(of, By.NODE, 20, 2, colours=True)
    assert draw(made, of, By.NODE, 1) == [Span("▀", "good", "")]


def test_where_nothing_else_fits_a_cell_is_several_groups() -> None:
    of = large()
    made = plan(of, By.NODE, 10, 2, colours=False)
    assert made.each == 5
    assert drawn(made, of) == ["·" * 10, "····X·····"]
    assert draw(made, of, By.NODE, 0, chosen="n07")[1] == Span("·", "chosen")


@settings(max_examples=40)
@given(st.integers(-1, 50), st.integers(-1, 12), st.booleans(), st.sampled_from(Detail), st.sampled_from(By))
def test_in_any_room_each_group_is_in_one_line_of_it(
    width: int, height: int, colours: bool, least: Detail, by: By
) -> None:
    of = small()
    made = plan(of, by, width, height, colours=colours, least=least)
    assert sorted(index for line in made.lines if isinstance(line, range) for index in line) == list(
        range(len(of.groups[by]))
    )
    for line in made.lines:
        if isinstance(line, range):
            assert all(made.lines[made.line_of(index)] == line for index in line)
    drawn(made, of, by)


def test_it_can_be_asked_for_less_detail() -> None:
    of = small()
    assert plan(of, By.NODE, 60, 10, colours=True, least=Detail.COUNTS).detail is Detail.COUNTS
    assert plan(of, By.NODE, 60, 10, colours=True, least=Detail.CELLS).detail is Detail.CELLS
    assert plan(Board(), By.OWNER, 60, 10, colours=True).lines == []


def test_names_of_others_are_text_and_nothing_else() -> None:
    of = board(pod("a-1", node="n\x1b[2J"), nodes=(node("n\x1b[2J"),))
    shown = text_of(draw(plan(of, By.NODE, 40, 5, colours=True), of, By.NODE, 0))
    assert shown.startswith(r"n\u001b[2J")
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("by", "name", "words"),
    [
        (By.NODE, "n1", "n1 Ready: 1 well, 1 failing"),
        (By.NODE, "n3", "n3 Ready: no pods"),
        (By.NAMESPACE, "gone", "gone: no pods"),
    ],
)
def test_a_group_in_words(by: By, name: str, words: str) -> None:
    assert said(small(), by, name) == words
