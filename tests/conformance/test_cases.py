"""Every case against the real server, on a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.conformance.case import Case
from tests.conformance.client import CLOSE, PING, PONG, TEXT, RawClient, ServerFrame, closing, json_of
from tests.conformance.deflated import deflated
from tests.conformance.endings import endings, sizes
from tests.conformance.framing import (
    automatic_fragments,
    beyond_the_suite,
    fragmentation,
    framing,
    opcodes,
    pings,
    reserved_bits,
)
from tests.conformance.texts import BROKEN, VALID, texts
from tests.web.serving import Running, serving

CASES: list[Case] = [
    case
    for chapter in (
        framing, pings, reserved_bits, opcodes, fragmentation, texts, endings, sizes, automatic_fragments,
        deflated, beyond_the_suite,
    )
    for case in chapter()
]  # fmt: skip

# How many cases the suite has in each section that is taken over.
SUITE = {
    "1.1": 8, "1.2": 8, "2": 11, "3": 7, "4.1": 5, "4.2": 5, "5": 20,
    "6.1": 3, "6.2": 4, "6.3": 2, "6.4": 4, "6.5": 5, "6.6": 11, "6.7": 4, "6.8": 2, "6.9": 4, "6.10": 3, "6.11": 5,
    "6.12": 8, "6.13": 5, "6.14": 10, "6.15": 1, "6.16": 3, "6.17": 5, "6.18": 5, "6.19": 5, "6.20": 7, "6.21": 8,
    "6.22": 34, "6.23": 7,
    "7.1": 6, "7.3": 6, "7.5": 1, "7.7": 13, "7.9": 9, "7.13": 2,
    "9.1": 6, "9.2": 6, "9.3": 9, "9.4": 9, "9.5": 6, "9.6": 6, "9.7": 6, "9.8": 6, "10.1": 1,
    **{f"12.{chapter}": 18 for chapter in range(1, 6)}, **{f"13.{chapter}": 18 for chapter in range(1, 8)},
}  # fmt: skip


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def server() -> AsyncIterator[Running]:
    async with serving() as running:
        yield running


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.number)
async def test_the_server_answers_as_the_case_says(server: Running, case: Case) -> None:
    offer = {"Sec_WebSocket_Extensions": case.offer} if case.offer else {}
    client = await RawClient.connect(server.ws, **offer)
    assert ("permessage-deflate" in client.answer.headers.get("sec-websocket-extensions", "")) == bool(
        case.offer
    )
    await client.state()
    await client.send(case.sent)
    found: list[ServerFrame] = []
    if case.closes is None:
        while count(found, TEXT) < len(case.messages) or count(found, PONG) < len(case.pongs):
            one = await client.frame()
            assert one is not None, f"closed before all was answered, after {found}"
            found.append(one)
        await client.send([closing(1000)])
    found += await client.rest()
    client.close()
    *before, last = [one for one in found if one.opcode != PING]
    assert (last.opcode, last.close_code) == (CLOSE, case.closes or case.answers)
    assert [one.payload for one in before if one.opcode == PONG] == list(case.pongs)
    said = [answer(one) for one in before if one.opcode == TEXT]
    if case.closes is None:
        assert said == list(case.messages)
    else:
        # What was due when the connection failed may be left out: the suite calls that NON-STRICT.
        assert said == list(case.messages)[: len(said)]
    assert all(one.fin and not one.masked for one in found)


def count(frames: list[ServerFrame], opcode: int) -> int:
    return sum(one.opcode == opcode for one in frames)


def answer(found: ServerFrame) -> str:
    message = json_of(found)
    assert message["type"] in ("pong", "error")
    return str(message["timestamp"] if message["type"] == "pong" else message["error"]["code"])


def test_all_cases_of_the_suite_are_there_once() -> None:
    numbers = [case.number for case in CASES]
    assert len(set(numbers)) == len(numbers)
    expected = {f"{section}.{number}" for section, size in SUITE.items() for number in range(1, size + 1)}
    assert {number for number in numbers if not number.startswith("R.")} == expected


def test_the_sequences_are_utf8_or_not_as_the_suite_says() -> None:
    for sequences in VALID.values():
        for sequence in sequences:
            assert sequence.decode().encode() == sequence
    for sequences in BROKEN.values():
        for sequence in sequences:
            with pytest.raises(UnicodeDecodeError):
                sequence.decode()
