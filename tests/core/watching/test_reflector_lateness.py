"""Answers that come late, or from a server that others have lost: what they may be of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kstream.core.timeline.events import Kind
from kstream.core.watching.history import History
from kstream.core.watching.reflection import Failure, Stream
from tests.core.watching.driven import Driven, initial_end, watch_list
from tests.scripted import error


@pytest.mark.parametrize(
    ("trouble", "away"),
    [
        (lambda driven: driven.fail(Failure.UNREACHED), True),
        (lambda driven: driven.fail(Failure.LATE), True),
        (lambda driven: driven.respond(503), True),
        (lambda driven: (driven.open(), driven.fail(Failure.CUT)), True),
        (lambda driven: (driven.open(), driven.end()), False),
        (lambda driven: driven.respond(429), False),
        (lambda driven: driven.respond(500), False),
    ],
)
def test_only_where_nobody_answered_an_answer_is_waited_for(
    trouble: Callable[[Driven], object], away: bool
) -> None:
    driven = Driven().watching("a")
    assert not driven.reflector.retry.away
    driven.now += 300
    driven.end()
    driven.ask()
    trouble(driven)
    assert driven.reflector.retry.away is away


@pytest.mark.parametrize(
    "trouble",
    [
        lambda driven: driven.fail(Failure.UNREACHED),
        lambda driven: driven.respond(503),
        lambda driven: driven.refuse(401, "Unauthorized"),
    ],
)
def test_after_ten_seconds_without_an_answer_another_history_may_go_on(
    trouble: Callable[[Driven], object],
) -> None:
    """To put etcd back all API servers are stopped: what was told before says nothing about what comes after."""
    driven = Driven().watching("a", "b", version="100")
    driven.now += 300
    driven.end()
    driven.ask()
    trouble(driven)
    began = driven.now
    driven.waits()
    while driven.now < began + 10.0:
        assert driven.ask().query["resourceVersion"] == "100"
        trouble(driven)
        driven.waits()
    assert "resourceVersion" not in driven.ask().query
    driven.page("b", version="100")
    assert driven.events == ["MODIFIED b", "DELETED a"], "at the version that is known, too"
    assert driven.ask().query["resourceVersion"] == "100"


@pytest.mark.parametrize(("after", "listed"), [(9.0, False), (10.0, True)])
def test_a_watch_that_is_answered_late_is_listed_and_compared_whole_once(after: float, listed: bool) -> None:
    """An API server that hangs while etcd is put back to a copy fails nothing: versions are used again all the same."""
    driven = Driven().watching("a")
    driven.now += 1.0
    driven.reflector.receive_end(driven.moment)
    driven.ask()
    driven.now += after
    head = driven.reflector.receive_response(200, {}, driven.moment)
    assert (head.close, driven.reflector.restarted) == (listed, listed)
    if not listed:
        return
    driven.events.clear()
    assert "watch" not in driven.ask().query
    driven.page("a", version="100")
    assert driven.events == ["MODIFIED a"], "at the version that is known, and told all the same"
    driven.ask()
    driven.now += after
    assert not driven.reflector.receive_response(200, {}, driven.moment).close
    assert not driven.reflector.restarted


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize(("after", "listed"), [(9.0, False), (10.0, True)])
def test_a_watch_that_is_refused_late_is_listed_and_compared_whole(
    status: int, after: float, listed: bool
) -> None:
    driven = Driven().watching("a")
    driven.now += 1.0
    driven.end()
    driven.ask()
    driven.now += after
    driven.refuse(status, "Busy")
    driven.waits()
    driven.events.clear()
    query = driven.ask().query
    if status == 429:  # the others cost a list anyhow
        assert ("watch" not in query) is listed
    if listed:
        driven.page("a", version="100")
        assert driven.events == ["MODIFIED a"], "at the version that is known, and told all the same"


@pytest.mark.parametrize("throttled", [True, False], ids=["throttled", "answered meanwhile"])
def test_an_outage_that_only_others_saw_is_doubted_by_who_waited_for_reasons_of_its_own(
    *, throttled: bool
) -> None:
    """429 for a while, and in that while the API server is stopped and etcd put back to a copy."""
    driven = Driven().watching("a")
    driven.now += 1.0
    driven.end()
    driven.contact.opened(Stream(Kind.NODE))
    if throttled:
        driven.ask()
        driven.refuse(429, "TooManyRequests")
        since = driven.now
        driven.waits()
        driven.contact.away(since, driven.now)
    driven.events.clear()
    query = driven.ask().query
    assert ("watch" not in query) is throttled
    if throttled:
        driven.page("a", version="100")
        assert driven.events == ["MODIFIED a"], "at the version that is known, and told all the same"


@pytest.mark.parametrize(("others", "listed"), [(False, True), (True, False)])
def test_who_waits_for_ten_seconds_while_nobody_watches_lists(*, others: bool, listed: bool) -> None:
    driven = Driven().watching("a")
    driven.now += 1.0
    driven.end()
    if others:
        driven.contact.opened(Stream(Kind.NODE))
    driven.ask()
    driven.refuse(429, "TooManyRequests", headers={"retry-after": "12"})
    assert driven.waits() >= 10.0
    assert ("watch" not in driven.ask().query) is listed


def test_a_list_that_is_answered_late_is_compared_whole() -> None:
    driven = Driven().watching("a")
    driven.reflector.restart()
    driven.ask()
    driven.now += 10.0
    driven.events.clear()
    driven.page("a", version="100")
    assert driven.events == ["MODIFIED a"]


def test_a_watch_that_began_as_a_list_is_one_that_is_watching() -> None:
    driven = watch_list()
    driven.open()
    driven.send(initial_end("9"))
    other = History(Stream(Kind.NODE), driven.contact)
    other.granted(driven.now, watch=False)
    driven.now += 300
    assert not other.doubtful(driven.now, watch=True), (
        "if the server had stopped, the watch would have been cut"
    )
    driven.end()
    driven.now += 300
    assert other.doubtful(driven.now, watch=True)


def test_a_watch_that_is_throttled_in_the_stream_is_one_that_is_not_watching() -> None:
    driven = Driven().watching("a")
    driven.send(error(429, "TooManyRequests", retry_after=60))
    driven.now += 75
    assert "watch" not in driven.ask().query, "for so long nobody watched and nobody asked"
