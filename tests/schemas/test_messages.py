"""The messages as JSON Schema: the golden ones are valid, and what a client may say is what the server takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest

from kstream.core.delivery.wire import parse
from kstream.core.errors import InvalidMessageError
from kstream.schemas.messages import message_schema
from tests.said import wrong_with

GOLDEN: Final = Path(__file__).parents[2] / "fixtures/messages"
OPEN: Final = message_schema(closed=False)
SAYS: Final = jsonschema_rs.Draft202012Validator(OPEN)
HEARS: Final = jsonschema_rs.Draft202012Validator(
    {"$ref": "#/$defs/ClientMessage", "$defs": message_schema(closed=True)["$defs"]}
)
# What our server does not say, and a client has to bear.
OTHERS: Final = {
    "contract_only.json": "a server that knows the contract only",
    "error_codes.json": "a code of another time",
    "metrics_as_of.json": "an `asOf` that is none",
    "other_types.json": "fields of other types",
    "unknown_fields.json": "fields of another time",
    "unknown_type.json": "messages of another time",
}


def messages(name: str) -> list[dict[str, Any]]:
    steps = json.loads((GOLDEN / name).read_text())["steps"]
    return [step["server"] for step in steps if "server" in step]


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.glob("*.json")))
def test_the_golden_messages_are_as_described_or_of_others(name: str) -> None:
    wrong = [wrong for message in messages(name) for wrong in wrong_with(message)]
    assert bool(wrong) is (name in OTHERS), wrong


def test_a_client_bears_fields_that_it_does_not_know_and_a_test_does_not() -> None:
    for message in messages("unknown_fields.json"):
        assert wrong_with(message)
    known = messages("metrics.json")[0]
    assert SAYS.is_valid(known | {"weather": "fine"})
    assert any("weather" in wrong for wrong in wrong_with(known | {"weather": "fine"}))


@pytest.mark.parametrize(
    "said",
    [
        {"type": "ping"},
        {"type": "ping", "timestamp": "x" * 100},
        {"type": "ping", "timestamp": "x" * 101},
        {"type": "ping", "timestamp": 1},
        {"type": "ping", "timestamp": None},
        {"type": "subscribe"},
        {"type": "subscribe", "namespaces": []},
        {"type": "subscribe", "kinds": ["pods"], "labels": "app=web", "id": 2**53 - 1},
        {"type": "subscribe", "labels": "", "id": 2**53},
        {"type": "subscribe", "labels": "", "id": "x" * 101},
        {"type": "subscribe", "namespaces": "a"},
        {"type": "subscribe", "namespaces": [1]},
        {"type": "playback", "action": "seek", "at": "-5m"},
        {"type": "playback", "action": "play", "speed": "max"},
        {"type": "playback", "action": "play", "speed": 2.5},
        {"type": "playback", "action": "play", "speed": "quick"},
        {"type": "playback", "action": "rewind"},
        {"type": "weather"},
        {},
        [],
    ],
    ids=str,
)
def test_what_a_client_may_say_is_what_the_server_takes(said: Any) -> None:
    try:
        parse(json.dumps(said).encode())
    except InvalidMessageError:
        taken = False
    else:
        taken = True
    assert HEARS.is_valid(said) is taken


def test_the_schema_says_nothing_of_python() -> None:
    text = json.dumps(OPEN["$defs"])
    assert '"title"' not in text
    assert '"default"' not in text
