"""Offers of compression that must be declined, told from those that may be taken."""

from __future__ import annotations

import pytest

from kstream.web.deflateoffers import negotiable


@pytest.mark.parametrize(
    "header",
    [
        "",
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=15; server_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=8, permessage-deflate",
        "x-webkit-deflate-frame; no_context_takeover, permessage-deflate",
    ],
)
def test_an_offer_as_the_rfc_has_it_may_be_negotiated(header: str) -> None:
    assert negotiable(header) is True


@pytest.mark.parametrize(
    "parameters",
    [
        "server_max_window_bits",
        "server_max_window_bits=",
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=09",
        "client_max_window_bits=16",
        "client_max_window_bits=",
        "server_no_context_takeover=1",
        "server_no_context_takeover=",
        "client_no_context_takeover=x",
        "unknown",
        "server_max_window_bits=10; server_max_window_bits=10",
        "client_max_window_bits; client_max_window_bits=9",
        "server_no_context_takeover; server_no_context_takeover",
    ],
)
def test_a_parameter_that_is_wrong_unknown_or_repeated_is_declined(parameters: str) -> None:
    assert negotiable(f"permessage-deflate; {parameters}") is False


@pytest.mark.parametrize(
    "name",
    [
        "x-permessage-deflate",
        "permessage-deflate-2",
        "another; permessage-deflate",
        "; permessage-deflate",
        "another; x=permessage-deflate",
    ],
)
def test_an_extension_with_a_like_name_is_not_taken_for_it(name: str) -> None:
    assert negotiable(name) is False


def test_every_offer_is_looked_at() -> None:
    assert negotiable("x-webkit-deflate-frame, permessage-deflate; unknown") is False
    assert negotiable("permessage-deflate, permessage-deflate; unknown") is False
