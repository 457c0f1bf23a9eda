"""JSON blocks: answers are like the real ones, messages are what both sides take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.sync.client import connect

from kstream.core.client.state import ClientState
from kstream.core.delivery import wire
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.health import ErrorCode, Fault
from simulator.testing import SimulatedServer
from tests.docs.blocks import Block, of
from tests.docs.names import Span, spans
from tests.docs.shapes import differences, values
from tests.docs.shell import answered

JSON = of("json")
_CLIENTS = frozenset({"ping", "subscribe"})

# What a real server said, by what it is about: the type, and of an event what happened.
Said = dict[tuple[str, str], list[dict[str, Any]]]


def subject(message: dict[str, Any]) -> tuple[str, str]:
    return message["type"], message.get("action", "")


# A simulated cluster denies nobody anything: these are taken from the encoder that every server has.
_FAULT = Fault(ErrorCode.PERMISSION_DENIED, "message", "details", "permission:list:pods")
ENCODED = [json.loads(wire.error(_FAULT, time=0.0)), json.loads(wire.cleared(_FAULT.subject, time=0.0))]


@pytest.fixture(scope="module")
def said(server: SimulatedServer) -> Said:
    """A real conversation, until every kind of message that the pages show has been in it."""
    wanted = {
        subject(message)
        for block in JSON
        for message in values(block.text)
        if isinstance(message, dict) and message.get("type") not in (None, "cleared", *_CLIENTS)
    }
    found: Said = {}
    with connect(server.websocket, open_timeout=None, close_timeout=None, ping_interval=None) as socket:
        for message in _conversation(socket, server):
            found.setdefault(subject(message), []).append(message)
            if wanted <= set(found):
                break
    for message in ENCODED:
        found.setdefault(subject(message), []).append(message)
    return found


def _conversation(socket: Any, server: SimulatedServer) -> Iterator[dict[str, Any]]:
    """What a server says while its cluster is busy and somebody pings it and does not know the protocol.

    A pod at a time, until one was told of alone: a server that has more to tell than its limits allow sends nothing
    but batches.
    """
    socket.send('{"type": "ping"}')
    socket.send('{"type": "nonsense"}')
    replicas, more = 6, 1
    for text in socket:
        message = json.loads(text)
        yield message
        if subject(message) == ("pod_event", "ADDED"):
            more = 40  # so many at once that they come as batches
        if message["type"] in ("initial_state", "metrics"):
            replicas += more
            server.do("scale", target="shop/web", replicas=replicas)


@pytest.mark.parametrize("block", JSON, ids=str)
def test_json_is_the_answer_to_the_block_before_or_messages(block: Block) -> None:
    for value in values(block.text):
        assert answered(block) is not None or (isinstance(value, dict) and "type" in value), (
            f"{block}: nothing is known of this value, so nobody would notice that it is wrong"
        )


@pytest.mark.parametrize("block", JSON, ids=str)
def test_messages_are_what_both_sides_take(block: Block, said: Said) -> None:
    state = ClientState()
    for message in values(block.text):
        if message.get("type") in _CLIENTS:
            wire.parse(json.dumps(message).encode())
        elif "type" in message:
            state.apply(message)
            nearest = min((list(differences(message, real)) for real in said[subject(message)]), key=len)
            assert nearest == [], f"{block}: {message['type']} is not what a server says"


@pytest.mark.parametrize(
    ("shown", "real", "found"),
    [
        ({"a": 1, "b": None}, {"a": 2.5, "b": "x"}, []),
        ({"a": 1}, {"a": "1"}, [".a: number, and str is real"]),
        ({"a": True}, {"a": 1}, [".a: boolean, and number is real"]),
        ({"a": 1, "b": 1}, {"a": 1, "c": 1}, [".b: is not there", ".c: is left out"]),
        ([{"a": 1}], [{"b": 1}, {"a": 2}], []),
        ([{"a": 1}, {"b": "x"}], [{"a": 1}, {"b": 2}], ["[1].b: str, and number is real"]),
        ({"labels": {"x": "y"}}, {"labels": {}}, []),
    ],
)
def test_an_example_has_the_fields_and_types_of_the_real_thing(
    shown: Any, real: Any, found: list[str]
) -> None:
    assert list(differences(shown, real)) == found


def test_values_follow_one_another() -> None:
    assert list(values('{"a": 1}\n{"b":\n2}')) == [{"a": 1}, {"b": 2}]
    with pytest.raises(ValueError, match="Expecting"):
        list(values('{"a": 1} b'))


def test_a_message_that_nobody_takes_is_found() -> None:
    with pytest.raises(InvalidMessageError):
        ClientState().apply({"type": "initial_state"})
    with pytest.raises(InvalidMessageError):
        wire.parse(b'{"type": "subscribe"}')


@pytest.mark.parametrize("span", [span for span in spans() if span.text.startswith('{"type"')], ids=str)
def test_a_message_in_the_text_is_one(span: Span) -> None:
    try:
        message = json.loads(span.text.replace("[...]", "[]").replace('"?', '": "x"'))
    except ValueError:
        assert '"data": {"' in span.text, f"{span}: fields alone are told of `data`"
        return
    assert wire.parse(json.dumps(message).encode()).type == message["type"]
