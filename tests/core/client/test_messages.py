"""A frame of a server: an object in JSON is a message, anything else is named for what it is."""

from __future__ import annotations

import pytest

from kstream.core.client.messages import read_message
from kstream.core.errors import InvalidMessageError

URL = "ws://example.test/ws"


def test_an_object_is_a_message_whatever_it_says() -> None:
    assert read_message('{"type": "later", "extra": [1, null]}', URL) == {"type": "later", "extra": [1, None]}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "what is not JSON: Input data was truncated"),
        ('{"type": "\\ud800"}', "what is not JSON: Input data was truncated"),
        ('{"type": 1e999}', "what is not JSON: Number out of range"),
        ("[1]", "JSON that is no object"),
        ("null", "JSON that is no object"),
        ("[" * 3_000, "JSON that is nested too deeply"),
        ('{"type":' * 3_000, "JSON that is nested too deeply"),
    ],
)
def test_what_is_no_message_is_refused_as_what_it_is(text: str, what: str) -> None:
    with pytest.raises(InvalidMessageError) as refused:
        read_message(text, URL)
    assert str(refused.value).startswith(f"{URL} sent {what}")
    assert str(refused.value).endswith(". Is it a kstream server?")
