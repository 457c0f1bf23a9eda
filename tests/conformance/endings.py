"""Chapter 7: how a connection ends."""

from __future__ import annotations

from collections.abc import Iterator

from tests.conformance.case import TAKEN, Case, cut, echoed, fragments, ping
from tests.conformance.client import CLOSE, CONTINUATION, TEXT, closing, frame
from tests.conformance.framing import BEAT, HELLO

ALLOWED = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
REFUSED = (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999)
UNDEFINED = (5000, 65535)
END = closing(1000)


def endings() -> Iterator[Case]:
    yield Case(number="7.1.1", sent=[HELLO], messages=["hello"])
    yield Case(number="7.1.2", sent=[END, END], closes=1000)
    yield Case(number="7.1.3", sent=[END, BEAT], closes=1000)
    yield Case(number="7.1.4", sent=[END, HELLO], closes=1000)
    yield Case(
        number="7.1.5", sent=[frame(TEXT, b"{", fin=False), END, frame(CONTINUATION, b"}")], closes=1000
    )
    size = 256 * 1024
    large = frame(TEXT, ping("large", size=size))
    yield Case(
        number="7.1.6",
        sent=[large, END, BEAT],
        messages=echoed("large", size),
        closes=1000,
        deviation="long",
    )
    yield Case(number="7.3.1", sent=[frame(CLOSE)], closes=1000)
    yield Case(number="7.3.2", sent=[frame(CLOSE, b"a")], closes=1002)
    yield Case(number="7.3.3", sent=[END], closes=1000)
    yield Case(number="7.3.4", sent=[closing(1000, b"Hello, world!")], closes=1000)
    yield Case(number="7.3.5", sent=[closing(1000, b"*" * 123)], closes=1000)
    yield Case(number="7.3.6", sent=[closing(1000, b"*" * 124)], closes=1002)
    yield Case(number="7.5.1", sent=[closing(1000, b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80edited")], closes=1007)
    for number, code in enumerate(ALLOWED, 1):
        yield Case(number=f"7.7.{number}", sent=[closing(code)], closes=code)
    for number, code in enumerate(REFUSED, 1):
        yield Case(number=f"7.9.{number}", sent=[closing(code)], closes=1002)
    for number, code in enumerate(UNDEFINED, 1):
        yield Case(number=f"7.13.{number}", sent=[closing(code)], closes=1002)


def sizes() -> Iterator[Case]:
    """Chapter 9 without its clock: only whether it is taken."""
    kib, mib = 2**10, 2**20
    for number, size in enumerate((64 * kib, 256 * kib, mib, 4 * mib, 8 * mib), 1):
        text = frame(TEXT, ping("size", size=size))
        long = "long" if size > TAKEN else ""
        yield Case(number=f"9.1.{number}", sent=[text], messages=echoed("size", size), deviation=long)
        yield Case(number=f"9.2.{number}", sent=[frame(2, bytes(size))], closes=1003, deviation="binary")
    # A header is enough: no server should wait for what it will not take.
    header = frame(TEXT, b"")[:1] + b"\xff" + (16 * mib).to_bytes(8, "big") + bytes(4)
    yield Case(number="9.1.6", sent=[header], closes=1009, deviation="limit")
    yield Case(number="9.2.6", sent=[b"\x82" + header[1:]], closes=1009, deviation="limit")
    for number, size in enumerate((64, 256, kib, 4 * kib, 16 * kib, 64 * kib, 256 * kib, mib, 4 * mib), 1):
        pieces = cut(ping("cut", size=4 * mib), size)
        sent = cut(b"".join(fragments(pieces)), 256 * kib)
        yield Case(number=f"9.3.{number}", sent=sent, messages=echoed("cut", 4 * mib), deviation="long")
        sent = cut(b"".join(fragments(pieces, opcode=2)), 256 * kib)
        yield Case(number=f"9.4.{number}", sent=sent, closes=1003, deviation="binary")
    for number, size in enumerate((64, 128, 256, 512, kib, 2 * kib), 1):
        # 64 KiB in place of 1 MiB: each write is a turn of the loop.
        yield Case(
            number=f"9.5.{number}",
            sent=cut(frame(TEXT, ping("chop", size=64 * kib)), size),
            messages=["chop"],
        )
        yield Case(
            number=f"9.6.{number}", sent=cut(frame(2, bytes(64 * kib)), size), closes=1003, deviation="binary"
        )
    for number, size in enumerate((0, 16, 64, 256, kib, 4 * kib), 1):
        # As many as a burst has. The smallest ping message is longer than 16 bytes.
        many = [ping(f"n{n}", size=size) for n in range(20)]
        yield Case(
            number=f"9.7.{number}",
            sent=[frame(TEXT, one) for one in many],
            messages=[f"n{n}" for n in range(20)],
            deviation="rate",
        )
        yield Case(number=f"9.8.{number}", sent=[frame(2, bytes(size))], closes=1003, deviation="binary")
