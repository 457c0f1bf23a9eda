"""How far a list has come, and when it is none any more."""

from __future__ import annotations

from kstream.core.watching.listing import LONG, MAX_OBJECTS, MAX_PAGES, Listing
from kstream.core.watching.reflection import Broken, OutOfTouch
from tests.core.watching.driven import Driven
from tests.making import named


def test_a_list_goes_from_token_to_token_and_begins_anew_without_one() -> None:
    listing = Listing()
    listing.begin(3, now=0.0)
    assert (listing.token, listing.paged, listing.sweep) == ("", True, 3)
    assert listing.page(500, "two") == ""
    assert listing.token == "two"
    listing.again(paged=False)
    assert (listing.token, listing.paged) == ("", False)


def test_the_same_page_twice_leads_nowhere() -> None:
    listing = Listing()
    listing.begin(1, now=0.0)
    assert listing.page(1, "two") == ""
    assert listing.page(1, "two") == "the API server gave the same page of a list twice"
    assert listing.token == "two"


def test_a_list_has_a_million_objects_and_ten_thousand_pages_at_most() -> None:
    assert (MAX_OBJECTS, MAX_PAGES) == (1_000_000, 10_000)
    large, long = Listing(), Listing()
    large.begin(1, now=0.0)
    assert large.page(MAX_OBJECTS, "more") == ""
    assert large.page(1, "still") == "the API server's list does not end: 1000001 objects in 2 pages"
    long.begin(1, now=0.0)
    assert not any(long.page(0, f"page-{number}") for number in range(MAX_PAGES - 1))
    assert long.page(0, "another") == "the API server's list does not end: 0 objects in 10000 pages"
    long.begin(2, now=0.0)
    assert long.page(0, "two") == "", "the next one counts from the start"


def test_that_a_list_lasts_is_said_once() -> None:
    listing = Listing()
    listing.begin(1, now=100.0)
    listing.page(500, "two")
    assert listing.lasting(100.0 + LONG - 0.1) == ""
    assert listing.lasting(100.0 + LONG) == "a list has gone on for 60 s: 500 objects so far"
    assert listing.lasting(100.0 + 2 * LONG) == ""
    listing.begin(2, now=300.0)
    assert listing.lasting(300.0 + LONG) == "a list has gone on for 60 s: 0 objects so far"


def test_who_waits_for_a_list_without_end_is_told_and_gets_what_came_of_it() -> None:
    driven = Driven()
    for number in range(1, 5):
        driven.ask()
        driven.now += 25.0
        driven.page(f"p{number}", more=f"page-{number}")
    assert named(note for note in driven.notes if isinstance(note, OutOfTouch)) == named(
        [OutOfTouch("a list has gone on for 75 s: 3 objects so far")]
    )
    assert driven.events == ["ADDED p1", "ADDED p2", "ADDED p3", "ADDED p4"]


def test_a_list_of_too_many_pages_is_broken_off_and_begun_again_in_pages() -> None:
    driven = Driven().watching("kept")
    driven.reflector.restart()
    for number in range(MAX_PAGES):
        assert not driven.said(Broken)
        driven.ask()
        driven.page(more=f"page-{number}")
    assert driven.said(Broken)
    assert driven.events == [], "what was there is not gone"
    driven.now += 60.0
    assert driven.ask().query == {"limit": "500"}
