"""The table's pods, while they change: what a search of everything would list, in that order."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.top.board import Board, By
from kstream.top.listing import Listing
from tests.top.feeds import event, pod
from tests.top.test_board import ACTIONS, PODS, board

WANTED = st.builds(
    lambda by, search, unwell, group: Listing(by, search=search, unwell=unwell, group=group),
    st.sampled_from(By),
    st.sampled_from(("", "web", "SHOP run", "n1", "nothing")),
    st.booleans(),
    st.sampled_from((None, "n1", "shop", "Deployment shop/web")),
)
CHANGES = st.lists(st.builds(event, PODS, ACTIONS), max_size=12)


def filled(listing: Listing, of: Board) -> Listing:
    for _ in listing.fill(of):
        pass
    return listing


def names(listing: Listing) -> list[str]:
    return [listing.row(index).name for index in range(len(listing))]


@settings(max_examples=50)
@given(WANTED, CHANGES, CHANGES, CHANGES)
def test_it_lists_what_a_search_of_everything_would(
    listing: Listing, first: list[Any], second: list[Any], third: list[Any]
) -> None:
    made = Board()
    made.drain()
    for each in first:
        made.follow(each)
    made.drain()
    filled(listing, made)
    for changes in (second, third):
        for each in changes:
            made.follow(each)
        listing.refresh(made.drain() or {}, made.pods)
        rows = sorted(
            filter(listing.lists, made.pods.values()),
            key=lambda row: (row.group(listing.by), row.namespace, row.name),
        )
        assert [listing.row(index) for index in range(len(listing))] == rows


def test_every_word_must_be_somewhere_in_it_whatever_its_case() -> None:
    made = board(pod("web-1", "CrashLoopBackOff"), pod("web-2"), pod("db-1", namespace="data", node="n7"))
    for search, found in {
        "web crashloop": ["web-1"],
        "N7": ["db-1"],
        "deployment data": ["db-1"],
        "web": ["web-1", "web-2"],
        "web n7": [],
    }.items():
        assert names(filled(Listing(By.NAMESPACE, search=search), made)) == found


def test_pods_that_are_well_and_other_groups_can_be_left_out() -> None:
    made = board(pod("a-1", "Error"), pod("b-1"), pod("c-1", "Error", node="n2"))
    assert names(filled(Listing(By.NODE, unwell=True), made)) == ["a-1", "c-1"]
    assert names(filled(Listing(By.NODE, unwell=True, group="n2"), made)) == ["c-1"]


def test_past_its_end_there_is_none() -> None:
    listing = filled(Listing(By.NODE), board(pod("a-1")))
    for index in (-1, 1):
        with pytest.raises(IndexError):
            listing.row(index)
