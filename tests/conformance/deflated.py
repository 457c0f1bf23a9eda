"""Chapters 12 and 13: permessage-deflate (RFC 7692)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from tests.conformance.case import Case, cut, echoed, fragments, ping
from tests.conformance.client import BINARY, CONTINUATION, PING, TEXT, frame

_TAIL = b"\x00\x00\xff\xff"
_KIB = 2**10
# The sizes of the suite, and into what fragments each is cut (0: one frame).
SIZES = (
    *(
        (size, 0)
        for size in (16, 64, 256, _KIB, 4 * _KIB, 8 * _KIB, 16 * _KIB, 32 * _KIB, 64 * _KIB, 128 * _KIB)
    ),
    *((size * _KIB, 256) for size in (8, 16, 32, 64, 128)),
    *((128 * _KIB, size) for size in (_KIB, 4 * _KIB, 32 * _KIB)),
)
PLAIN = "permessage-deflate"
# What the suite's clients offer in 13.1 to 13.7: a window of the server, without takeover, both.
OFFERS = (
    PLAIN,
    f"{PLAIN}; server_no_context_takeover",
    f"{PLAIN}; server_max_window_bits=9",
    f"{PLAIN}; server_max_window_bits=15",
    f"{PLAIN}; server_no_context_takeover; server_max_window_bits=9",
    f"{PLAIN}; server_no_context_takeover; server_max_window_bits=15",
    f"{PLAIN}; server_no_context_takeover; server_max_window_bits=9, "
    f"{PLAIN}; server_no_context_takeover, {PLAIN}",
)


class Deflate:
    """A client's compressor, which keeps its window from message to message unless told otherwise."""

    def __init__(self, *, keep: bool = True, window_bits: int = 15) -> None:
        self._keep, self._bits = keep, window_bits
        self._made = zlib.compressobj(wbits=-window_bits)

    def payload(self, data: bytes) -> bytes:
        if not self._keep:
            self._made = zlib.compressobj(wbits=-self._bits)
        return (self._made.compress(data) + self._made.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_TAIL)

    def frames(self, data: bytes, size: int = 0, opcode: int = TEXT) -> list[bytes]:
        """One message: only its first frame has RSV1 (RFC 7692, 6)."""
        whole = self.payload(data)
        made = fragments(cut(whole, size) if size else [whole], opcode=opcode)
        return [bytes([made[0][0] | 0x40]) + made[0][1:], *made[1:]]


def deflated() -> Iterator[Case]:
    for number, (size, piece) in enumerate(SIZES, 1):
        # What differs from one chapter to the next is how well it deflates: blanks, a repeated text, and noise.
        for chapter, filling in ((1, b" "), (3, b" \t\n\r  \t\t\n"), (4, b"\n")):
            yield Case(
                number=f"12.{chapter}.{number}", sent=_three(filling, size, piece, Deflate()), offer=PLAIN,
                messages=_answers(size), deviation="rate",
            )  # fmt: skip
        for chapter in (2, 5):
            yield Case(
                number=f"12.{chapter}.{number}", offer=PLAIN, closes=1003, deviation="binary",
                sent=Deflate().frames(_noise(size), piece, BINARY),
            )  # fmt: skip
        for chapter, offer in enumerate(OFFERS, 1):
            yield Case(
                number=f"13.{chapter}.{number}", offer=offer, messages=_answers(size), deviation="rate",
                sent=_three(b" ", size, piece, Deflate(keep=chapter % 2 == 0, window_bits=9 + chapter % 7)),
            )  # fmt: skip
    yield from _beyond_the_suite()


def _answers(size: int) -> list[str]:
    return [answer for number in range(3) for answer in echoed(f"m{number}", size)]


def _three(filling: bytes, size: int, piece: int, deflate: Deflate) -> list[bytes]:
    texts = (ping(f"m{number}") for number in range(3))
    filled = (text + (filling * (size // len(filling) + 1))[: max(0, size - len(text))] for text in texts)
    return [one for text in filled for one in deflate.frames(text, piece)]


def _noise(size: int) -> bytes:
    found, state = bytearray(), 1
    while len(found) < size:
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        found.append(state >> 16 & 0xFF)
    return bytes(found)


def _beyond_the_suite() -> Iterator[Case]:
    text = ping("deflated")
    whole = Deflate().payload(text)
    yield Case(number="R.20", sent=[frame(TEXT, ping("plain"))], messages=["plain"], offer=PLAIN)
    yield Case(number="R.21", sent=[frame(TEXT, whole, rsv=6)], closes=1002, offer=PLAIN)
    yield Case(
        number="R.22",
        sent=[frame(TEXT, whole[:4], fin=False, rsv=4), frame(CONTINUATION, whole[4:], rsv=4)],
        closes=1002,
        offer=PLAIN,
    )
    yield Case(
        number="R.23",
        sent=[frame(PING, b"p", rsv=4)],
        pongs=[b"p"],
        offer=PLAIN,
        deviation="deflated-control",
    )
    # 0x07 begins a block of a type that there is not.
    yield Case(
        number="R.24", sent=[frame(TEXT, b"\x07\xff", rsv=4)], closes=1000, offer=PLAIN, deviation="broken"
    )
    bomb = Deflate().payload(bytes(11 * 2**20))
    yield Case(number="R.25", sent=[frame(TEXT, bomb, rsv=4)], closes=1009, offer=PLAIN, deviation="limit")
    bad = Deflate().payload(b"\xed\xa0\x80")
    yield Case(number="R.26", sent=[frame(TEXT, bad, rsv=4)], closes=1007, offer=PLAIN)
    split = [frame(TEXT, whole[:4], fin=False, rsv=4), frame(PING, b"in"), frame(CONTINUATION, whole[4:])]
    yield Case(number="R.27", sent=split, pongs=[b"in"], messages=["deflated"], offer=PLAIN)
