"""Chapters 1 to 5 and 10: framing, pings, reserved bits, opcodes, fragmentation."""

from __future__ import annotations

from collections.abc import Iterator

from tests.conformance.case import INVALID, Case, cut, fragments, octets, ping
from tests.conformance.client import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, closing, frame

HELLO = frame(TEXT, ping("hello"))
BEAT = frame(PING, b"beat")
_NOT_UTF8 = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
_SIZES = (0, 125, 126, 127, 128, 65535, 65536)


def framing() -> Iterator[Case]:
    for number, size in enumerate(_SIZES, 1):
        answer = ["sized"] if size else [INVALID]
        text = ping("sized", size=size) if size else b""
        yield Case(number=f"1.1.{number}", sent=[frame(TEXT, text)], messages=answer)
    whole = frame(TEXT, ping("sized", size=65536))
    yield Case(number="1.1.8", sent=cut(whole, 997), messages=["sized"])
    for number, size in enumerate(_SIZES, 1):
        yield Case(
            number=f"1.2.{number}", sent=[frame(BINARY, b"\xfe" * size)], closes=1003, deviation="binary"
        )
    yield Case(number="1.2.8", sent=cut(frame(BINARY, b"\xfe" * 65536), 997), closes=1003, deviation="binary")


def pings() -> Iterator[Case]:
    yield Case(number="2.1", sent=[frame(PING)], pongs=[b""])
    yield Case(number="2.2", sent=[frame(PING, b"Hello, world!")], pongs=[b"Hello, world!"])
    yield Case(number="2.3", sent=[frame(PING, _NOT_UTF8)], pongs=[_NOT_UTF8])
    yield Case(number="2.4", sent=[frame(PING, b"\xfe" * 125)], pongs=[b"\xfe" * 125])
    yield Case(number="2.5", sent=[frame(PING, b"\xfe" * 126)], closes=1002)
    yield Case(number="2.6", sent=octets(frame(PING, b"\xfe" * 125)), pongs=[b"\xfe" * 125])
    yield Case(number="2.7", sent=[frame(PONG)])
    yield Case(number="2.8", sent=[frame(PONG, b"unsolicited")])
    yield Case(number="2.9", sent=[frame(PONG, b"unsolicited"), BEAT], pongs=[b"beat"])
    ten = [b"payload-%d" % number for number in range(10)]
    yield Case(number="2.10", sent=[b"".join(frame(PING, one) for one in ten)], pongs=ten)
    yield Case(number="2.11", sent=octets(*(frame(PING, one) for one in ten)), pongs=ten)


def reserved_bits() -> Iterator[Case]:
    bad = [frame(TEXT, ping("bits"), rsv=bits) for bits in range(8)]
    yield Case(number="3.1", sent=[bad[1]], closes=1002)
    yield Case(number="3.2", sent=[HELLO + bad[2] + BEAT], messages=["hello"], closes=1002)
    yield Case(number="3.3", sent=[HELLO, bad[3], BEAT], messages=["hello"], closes=1002)
    yield Case(number="3.4", sent=octets(HELLO, bad[4], BEAT), messages=["hello"], closes=1002)
    yield Case(number="3.5", sent=[frame(BINARY, b"\xfe" * 8, rsv=5)], closes=1002)
    yield Case(number="3.6", sent=[frame(PING, b"bits", rsv=6)], closes=1002)
    yield Case(number="3.7", sent=[frame(CLOSE, rsv=7)], closes=1002)


def opcodes() -> Iterator[Case]:
    for chapter, first in (("4.1", 3), ("4.2", 11)):
        yield Case(number=f"{chapter}.1", sent=[frame(first)], closes=1002)
        yield Case(number=f"{chapter}.2", sent=[frame(first + 1, b"reserved")], closes=1002)
        for number, payload in ((3, b""), (4, b"reserved"), (5, b"reserved")):
            writes = [HELLO, frame(first + number - 1, payload), BEAT]
            yield Case(
                number=f"{chapter}.{number}",
                sent=octets(*writes) if number == 5 else writes,
                messages=["hello"],
                closes=1002,
            )


def fragmentation() -> Iterator[Case]:
    text = ping("pieces")
    half = fragments(cut(text, len(text) // 2 + 1))
    yield Case(number="5.1", sent=[frame(PING, b"a", fin=False), frame(CONTINUATION, b"b")], closes=1002)
    yield Case(number="5.2", sent=[frame(PONG, b"a", fin=False), frame(CONTINUATION, b"b")], closes=1002)
    yield Case(number="5.3", sent=[b"".join(half)], messages=["pieces"])
    yield Case(number="5.4", sent=half, messages=["pieces"])
    yield Case(number="5.5", sent=octets(*half), messages=["pieces"])
    between = [half[0], BEAT, half[1]]
    yield Case(number="5.6", sent=[b"".join(between)], pongs=[b"beat"], messages=["pieces"])
    yield Case(number="5.7", sent=between, pongs=[b"beat"], messages=["pieces"])
    yield Case(number="5.8", sent=octets(*between), pongs=[b"beat"], messages=["pieces"])
    for start, fin in ((9, True), (12, False)):
        lost = [frame(CONTINUATION, b"lost", fin=fin), HELLO]
        yield Case(number=f"5.{start}", sent=[b"".join(lost)], closes=1002)
        yield Case(number=f"5.{start + 1}", sent=lost, closes=1002)
        yield Case(number=f"5.{start + 2}", sent=octets(*lost), closes=1002)
    yield Case(
        number="5.15",
        sent=[*half, frame(CONTINUATION, b"lost", fin=False), HELLO],
        messages=["pieces"],
        closes=1002,
    )
    for number, fin in ((16, False), (17, True)):
        again = [frame(CONTINUATION, b"lost", fin=fin), *half]
        yield Case(number=f"5.{number}", sent=again * 2, closes=1002)
    twice = [frame(TEXT, text[:9], fin=False), frame(TEXT, text[9:])]
    yield Case(number="5.18", sent=twice, closes=1002)
    five = fragments(cut(text, len(text) // 5 + 1))
    mixed = [*five[:2], frame(PING, b"one"), *five[2:4], frame(PING, b"two"), *five[4:]]
    yield Case(number="5.19", sent=[b"".join(mixed)], pongs=[b"one", b"two"], messages=["pieces"])
    yield Case(number="5.20", sent=mixed, pongs=[b"one", b"two"], messages=["pieces"])


def automatic_fragments() -> Iterator[Case]:
    pieces = fragments(cut(ping("auto", size=65536), 1300))
    yield Case(number="10.1.1", sent=pieces, messages=["auto"])


def beyond_the_suite() -> Iterator[Case]:
    """What the RFC asks of a server and the suite does not try."""
    yield Case(
        number="R.1", sent=[frame(TEXT, ping("bare"), mask=None)], messages=["bare"], deviation="unmasked"
    )
    long = ping("long")
    mask = bytes(4)
    yield Case(
        number="R.2",
        sent=[bytes([0x81, 0xFE, 0, len(long)]) + mask + long],
        messages=["long"],
        deviation="length",
    )
    yield Case(number="R.3", sent=[b"\x81\xff\xff" + bytes(7) + mask], closes=1009, deviation="length")
    yield Case(
        number="R.4",
        sent=[frame(TEXT, fin=False), frame(TEXT, ping("second"))],
        messages=["second"],
        deviation="empty-fragment",
    )
    yield Case(number="R.5", sent=[frame(TEXT, b"x", fin=False), frame(BINARY, b"y")], closes=1002)
    yield Case(number="R.6", sent=[frame(BINARY, b"x"), HELLO, frame(BINARY, b"y"), BEAT], closes=1003)
    yield Case(number="R.7", sent=[closing(1000, b"\xed\xa0\x80")], closes=1007)
    yield Case(number="R.8", sent=[frame(BINARY, b"x")], closes=1003, deviation="no-wait")
