"""What an answer other than 200 means for a list or a watch."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kstream.core.kube.resources import Status
from kstream.core.watching.refusal import Meaning, means_busy, means_expired, read_refusal


def status_body(**fields: Any) -> bytes:
    return json.dumps({"kind": "Status", **fields}).encode()


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (100, Meaning.FAILED),
        (204, Meaning.FAILED),
        (301, Meaning.FAILED),
        (399, Meaning.FAILED),
        (400, Meaning.WRONG),
        (401, Meaning.UNAUTHORIZED),
        (402, Meaning.WRONG),
        (403, Meaning.FORBIDDEN),
        (404, Meaning.WRONG),
        (409, Meaning.WRONG),
        (410, Meaning.EXPIRED),
        (411, Meaning.WRONG),
        (422, Meaning.WRONG),
        (428, Meaning.WRONG),
        (429, Meaning.BUSY),
        (430, Meaning.WRONG),
        (499, Meaning.WRONG),
        (500, Meaning.FAILED),
        (501, Meaning.FAILED),
        (502, Meaning.AWAY),
        (503, Meaning.AWAY),
        (504, Meaning.AWAY),
        (505, Meaning.FAILED),
    ],
)
def test_a_status_means_what_listwatch_says_of_it(status: int, meaning: Meaning) -> None:
    assert read_refusal(status, {}, b"").meaning is meaning


@pytest.mark.parametrize(
    ("status", "answered"),
    [
        *((code, True) for code in (400, 403, 404, 410, 429, 499)),
        *((code, False) for code in (401, 500, 502, 503)),
    ],
)
def test_a_refusal_of_the_server_itself_says_that_the_cluster_was_reached(
    status: int, answered: bool
) -> None:
    """PROTOCOL 8: what stands in front of it says 5xx, and a 401 does not know us."""
    assert read_refusal(status, {}, b"").answered is answered


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (status_body(message="pods is forbidden"), "403: pods is forbidden"),
        (status_body(message="", reason="Forbidden"), "403: no reason was given"),
        (b"", "403: no reason was given"),
        (b"slow down\nplease\n", "403: slow down"),
        (b"\n\n  slow down  \n", "403: slow down"),
        (b"<html>no</html>", "403: no reason was given"),
        (b"  <html>no</html>", "403: no reason was given"),
        (b"{torn", "403: no reason was given"),
        (b"x" * 201, "403: " + "x" * 200),
        (b"caf\xe9", "403: caf�"),
    ],
)
def test_the_cause_is_what_the_server_says_in_one_line_and_no_html(body: bytes, cause: str) -> None:
    assert read_refusal(403, {}, body).cause == cause


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("99999999", 99_999_999.0),
        ("100000000", None),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("²", None),
        ("٣", None),
        ("Fri, 24 Jan 2025 10:00:00 GMT", None),
    ],
)
def test_a_wait_in_the_header_is_a_number_of_seconds(header: str, seconds: float | None) -> None:
    assert read_refusal(429, {"retry-after": header}, b"").retry_after == seconds


def test_a_status_may_say_how_long_to_wait_where_no_header_does() -> None:
    said = status_body(details={"retryAfterSeconds": 9})
    assert read_refusal(429, {}, said).retry_after == 9.0
    assert read_refusal(429, {"retry-after": "2"}, said).retry_after == 2.0
    assert read_refusal(429, {"retry-after": "0"}, said).retry_after == 0.0
    assert read_refusal(429, {"retry-after": "soon"}, said).retry_after == 9.0
    assert read_refusal(429, {}, status_body(code=429)).retry_after is None


@pytest.mark.parametrize(
    ("code", "reason", "expired", "busy"),
    [
        (410, "", True, False),
        (0, "Expired", True, False),
        (0, "Gone", True, False),
        (500, "Expired", True, False),
        (429, "", False, True),
        (0, "TooManyRequests", False, True),
        (500, "TooManyRequests", False, True),
        (0, "", False, False),
        (409, "Conflict", False, False),
        (411, "", False, False),
        (428, "", False, False),
        (430, "", False, False),
    ],
)
def test_an_error_of_a_watch_says_it_in_its_code_or_in_its_reason(
    code: int, reason: str, expired: bool, busy: bool
) -> None:
    """LISTWATCH 5 and 6."""
    status = Status(code, reason, "", None)
    assert (means_expired(status), means_busy(status)) == (expired, busy)
