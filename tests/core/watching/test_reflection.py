"""What a reflector asks for: names, paths and queries as an API server reads them."""

from __future__ import annotations

import pytest

from kstream.core.timeline.events import Kind
from kstream.core.watching.reflection import (
    Failure,
    Freshness,
    Get,
    Moment,
    Output,
    Stream,
    Tally,
    list_get,
    watch_get,
)


@pytest.mark.parametrize(
    ("stream", "resource", "name", "path"),
    [
        (Stream(Kind.NODE), "nodes", "nodes", "/api/v1/nodes"),
        (Stream(Kind.POD), "pods", "pods", "/api/v1/pods"),
        (Stream(Kind.POD, "shop"), "pods", "pods/shop", "/api/v1/namespaces/shop/pods"),
        (
            Stream(Kind.NAMESPACE, only=frozenset({"b", "a"})),
            "namespaces",
            "namespaces/a,b",
            "/api/v1/namespaces",
        ),
    ],
)
def test_a_stream_is_named_by_all_that_decides_what_it_has_missed(
    stream: Stream, resource: str, name: str, path: str
) -> None:
    assert (stream.resource, stream.name, stream.path) == (resource, name, path)


@pytest.mark.parametrize(
    ("paged", "token", "query"),
    [
        (True, "", {"limit": "500"}),
        (True, "t", {"limit": "500", "continue": "t"}),
        (False, "", {}),
        (False, "t", {"continue": "t"}),
    ],
)
def test_a_list_has_a_limit_and_the_token_of_its_page_and_nothing_else(
    paged: bool, token: str, query: dict[str, str]
) -> None:
    """LISTWATCH 1."""
    shop = Stream(Kind.POD, "shop")
    assert list_get(shop, paged=paged, token=token) == Get(shop.path, query, watch=False, within=60.0)


def test_a_watch_goes_on_from_a_version_or_begins_with_what_there_is() -> None:
    """LISTWATCH 2 and 4."""
    nodes = Stream(Kind.NODE)
    both = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": "301"}
    again = both | {"resourceVersion": "7"}
    assert watch_get(nodes, "7", timeout=301) == Get(nodes.path, again, watch=True, within=30.0)
    first = both | {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    assert watch_get(nodes, "", timeout=301) == Get(nodes.path, first, watch=True, within=30.0)


def test_an_output_of_nothing_commits_no_version_and_closes_nothing() -> None:
    assert Output() == ((), None, (), False)


def test_how_a_request_can_fail_is_named_for_people() -> None:
    assert list(Failure) == ["unreached", "late", "cut", "silent"]


@pytest.mark.parametrize(("watches", "restarts"), [(0, 0), (1, 0), (2, 1), (5, 4)])
def test_freshness_is_what_was_counted_and_the_first_watch_is_no_restart(watches: int, restarts: int) -> None:
    tally = Tally(last_byte=3.0, last_event=2.0, events=5, suppressed=4, lists=6, watches=watches)
    found = tally.freshness(Stream(Kind.POD, "shop"), state="watching", version="9", objects=8, failures=1)
    assert found == Freshness(
        stream="pods/shop",
        state="watching",
        last_byte=3.0,
        last_event=2.0,
        version="9",
        objects=8,
        events=5,
        suppressed=4,
        lists=6,
        restarts=restarts,
        failures=1,
        lag=0.0,
    )


def test_when_something_was_heard_is_known_by_both_clocks() -> None:
    tally = Tally()
    assert Moment(0.0, 0.0).monotonic - tally.heard == float("inf")
    tally.hear(Moment(5.0, 1000.0))
    assert (tally.heard, tally.last_byte) == (5.0, 1000.0)


def test_at_first_nothing_was_counted() -> None:
    assert Tally() == Tally(last_byte=0.0, last_event=0.0, events=0, suppressed=0, lists=0, watches=0)
