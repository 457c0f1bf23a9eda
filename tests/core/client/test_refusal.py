"""What a server's answer to a handshake means to whoever asked."""

from __future__ import annotations

import pytest

from kstream.core.client.refusal import NotNowError, reason, refusal
from kstream.core.errors import ConfigError, ForbiddenError, UnreachableError

URL = "ws://example.test/ws"


@pytest.mark.parametrize("status", [401, 403])
def test_one_who_may_not_is_told_what_to_allow(status: int) -> None:
    error = refusal(URL, status, "Host not allowed", "")
    assert type(error) is ForbiddenError
    assert str(error) == (
        f"{URL} refuses this client: HTTP {status}: Host not allowed."
        " Start the server with --allow-host or --allow-origin for it"
    )


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
def test_a_server_that_cannot_now_may_say_when(status: int) -> None:
    error = refusal(URL, status, "", "7")
    assert type(error) is NotNowError
    assert isinstance(error, UnreachableError)
    assert error.retry_after == 7.0
    assert str(error) == f"{URL} takes no client now: HTTP {status}. Try again later"


@pytest.mark.parametrize("wait", ["", "-1", "1.5", "\u0667", "\u00b2", "Fri, 24 Jan 2025 10:00:00 GMT"])
def test_a_wait_that_is_no_number_of_seconds_is_none(wait: str) -> None:
    error = refusal(URL, 503, "", wait)
    assert isinstance(error, NotNowError)
    assert error.retry_after == NotNowError("later").retry_after == 0.0


def test_what_was_asked_for_wrongly_is_to_be_corrected() -> None:
    error = refusal(URL, 400, "namespaces: 'No!'", "")
    assert type(error) is ConfigError
    assert str(error) == (
        f"{URL} does not accept the request: HTTP 400: namespaces: 'No!'. Correct the filter or the URL"
    )


@pytest.mark.parametrize("status", [200, 301, 402, 404, 407, 409, 424, 426, 428, 430, 499])
def test_any_other_answer_is_that_of_no_kstream_server(status: int) -> None:
    error = refusal(URL, status, "", "7")
    assert type(error) is ConfigError
    assert str(error) == (
        f"{URL} is no kstream server: it answers HTTP {status}. Correct the URL; the path is /ws"
    )


@pytest.mark.parametrize(("wait", "seconds"), [("300", 300.0), ("301", 300.0), ("9" * 5_000, 300.0)])
def test_a_server_that_asks_for_more_than_five_minutes_is_not_believed(wait: str, seconds: float) -> None:
    error = refusal(URL, 503, "", wait)
    assert isinstance(error, NotNowError)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"code": "X", "message": "Too many", "details": "of 7"}}', "Too many (of 7)"),
        (b'{"error": {"code": "X", "message": "Too many", "details": ""}}', "Too many"),
        (b'{"error": {"message": "Too many"}}', "Too many"),
        (b'{"error": {"message": "Too many", "details": {"of": 7}}}', "Too many"),
    ],
)
def test_a_server_says_why_and_what_about(body: bytes, said: str) -> None:
    assert reason(body) == said


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"null", b"[]", b"{}", b'"error"', b'{"error": "Too many"}', b'{"error": {}}'),
        *(b'{"error": {"message": 7}}', b'{"error": {"message": "\xff"}}', b"[" * 3_000, b'{"error": []}'),
    ],
)
def test_a_body_of_another_server_says_nothing(body: bytes) -> None:
    assert reason(body) == ""
