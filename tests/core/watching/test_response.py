"""A response is kept as far as it may be."""

from __future__ import annotations

import pytest

from kstream.core.watching.reflection import Moment
from kstream.core.watching.response import MAX_LIST, MAX_PAGE, MAX_REFUSAL, Response


def response(status: int = 200, *, most: int = 10) -> Response:
    return Response(status, {"retry-after": "1"}, Moment(5.0, 1000.0), most=most)


def test_a_body_is_kept_to_its_last_byte_and_no_further() -> None:
    kept = response()
    assert kept.ok
    assert kept.keep(b"01234")
    assert kept.keep(b"56789")
    assert kept.body() == b"0123456789"
    assert not kept.keep(b"x")
    assert kept.body() == b"0123456789"
    assert not kept.keep(b""), "what was too much stays too much"


@pytest.mark.parametrize("status", [201, 401, 500])
def test_of_a_refusal_the_beginning_is_kept_and_the_rest_does_no_harm(status: int) -> None:
    refused = response(status)
    assert not refused.ok
    assert refused.keep(b"a" * (MAX_REFUSAL - 1))
    assert refused.keep(b"bb")
    assert refused.keep(b"c")
    assert refused.body() == b"a" * (MAX_REFUSAL - 1) + b"bb"


def test_what_may_be_kept_is_enough_for_what_is_real() -> None:
    assert (MAX_PAGE, MAX_LIST, MAX_REFUSAL) == (268_435_456, 2_147_483_648, 65_536)


def test_nothing_was_heard_when_it_begins() -> None:
    begun = response()
    assert (begun.heard_bytes, begun.heard_lines, begun.opened, begun.status) == (False, False, 5.0, 200)
    assert begun.headers == {"retry-after": "1"}
    assert begun.lines.feed(b"one\ntwo") == [b"one"]
