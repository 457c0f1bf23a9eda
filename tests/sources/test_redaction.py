from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from kstream.sources.redaction import redacted


def test_secrets_are_taken_out_wherever_they_are() -> None:
    assert redacted("you sent xhunter2x", ["hunter2"]) == "you sent x[redacted]x"
    assert redacted("hunter22 and hunter2", ["hunter2", "hunter22", ""]) == "[redacted] and [redacted]"


def test_a_short_secret_is_taken_out_where_it_is_a_word() -> None:
    assert redacted("a pod, p=a", ["a"]) == "[redacted] pod, p=[redacted]"


def test_credentials_of_a_header_and_the_user_of_a_url_are_taken_out_unknown() -> None:
    assert redacted("Authorization: bearer abc.def, x", []) == "Authorization: bearer [redacted], x"
    assert redacted("http://u:p@proxy.test:1/a@b", []) == "http://[redacted]@proxy.test:1/a@b"
    assert redacted("https://api.test/a@b", []) == "https://api.test/a@b"


SECRET = 'sha256q9x/sec+ret="ü"0123456789'


@pytest.mark.parametrize("size", range(6, len(SECRET)))
@pytest.mark.parametrize("mark", ["", "…", "...", " …"])
def test_a_text_that_was_cut_shows_no_part_of_one(size: int, mark: str) -> None:
    assert redacted(f"no such token={SECRET[:size]}{mark}", [SECRET]) == f"no such token=[redacted]{mark}"
    assert redacted(f"{mark}{SECRET[-size:]} is no token", [SECRET]) == f"{mark}[redacted] is no token"


@pytest.mark.parametrize(
    "spelled",
    [
        quote(SECRET, safe=""),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_one_that_is_spelled_otherwise_is_taken_out(spelled: str) -> None:
    told = redacted(f"you said {spelled} to us", [SECRET])
    assert "[redacted]" in told
    assert not any(part in told for part in ("sha256", "sec", "c2hhMjU2", "0123"))


def test_what_only_begins_like_one_is_left() -> None:
    assert redacted("sha25 is a hash", [SECRET]) == "sha25 is a hash"
    assert redacted("the sha256 of it", [SECRET]) == "the sha256 of it"


class Counted(str):
    """A secret that counts the characters it is compared with."""

    compared = 0

    def startswith(self, prefix: Any, *span: Any) -> bool:
        Counted.compared += len(prefix)
        return super().startswith(prefix, *span)

    def endswith(self, suffix: Any, *span: Any) -> bool:
        Counted.compared += len(suffix)
        return super().endswith(suffix, *span)


@pytest.mark.parametrize("part", [SECRET[:6], SECRET[-6:]])
def test_a_long_text_of_what_a_secret_begins_or_ends_with_costs_no_more_than_the_secret(part: str) -> None:
    Counted.compared = 0
    text = part * 2000
    told = redacted(text, [Counted(SECRET)])
    cut = len(told) - len("[redacted]")
    assert told in (f"{text[:cut]}[redacted]", f"[redacted]{text[-cut:]}"), (
        "the last of them may be one that was cut"
    )
    assert Counted.compared <= 6 * 2 * len(SECRET) ** 2
