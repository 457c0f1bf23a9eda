"""A case: what is sent, and what this server answers. The numbers are those of the Autobahn testsuite.

The suite expects an echo. Ours is no echo server, so a case says a ping message of the protocol where the suite says
"a text", and expects the pong message that echoes its timestamp; where a text is none of the protocol's messages,
the error INVALID_MESSAGE takes the place of the echo.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from tests.conformance.client import CONTINUATION, TEXT, frame

INVALID = "INVALID_MESSAGE"
TAKEN = 64 * 2**10  # bytes of a message that are looked at (PROTOCOL 22)


@dataclass(frozen=True, kw_only=True)
class Case:
    """`number` of the suite, or `R.` and a number for what the RFCs say and the suite does not ask."""

    number: str
    sent: Sequence[bytes]  # writes, one after another
    pongs: Sequence[bytes] = ()  # payloads of the pong frames that answer
    messages: Sequence[str] = ()  # the timestamps of pong messages, or codes of errors
    closes: int | None = (
        None  # the server closes with this code by itself; None: the client closes, with 1000
    )
    answers: int = 1000  # what the server's close frame says when the client closes
    offer: str = ""  # of Sec-WebSocket-Extensions
    deviation: str = ""  # a key of deviations.DEVIATIONS: the suite expects something else


def ping(echo: str, *, size: int = 0) -> bytes:
    """A ping message as bytes; with blanks up to `size` bytes, which JSON allows."""
    return json.dumps({"type": "ping", "timestamp": echo}, ensure_ascii=False).encode().ljust(size)


def echoed(echo: str, size: int) -> list[str]:
    """What answers a ping message of `size` bytes."""
    return [echo] if size <= TAKEN else [INVALID]


def cut(data: bytes, size: int) -> list[bytes]:
    """The data in pieces of `size` bytes; one empty piece for no data."""
    return [data[at : at + size] for at in range(0, len(data), size)] or [b""]


def octets(*frames: bytes) -> list[bytes]:
    """The frames in writes of one byte each."""
    return cut(b"".join(frames), 1)


def fragments(pieces: Sequence[bytes], *, opcode: int = TEXT) -> list[bytes]:
    """A message in as many frames as there are pieces."""
    last = len(pieces) - 1
    return [
        frame(opcode if number == 0 else CONTINUATION, piece, fin=number == last)
        for number, piece in enumerate(pieces)
    ]
