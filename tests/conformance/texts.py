"""Chapter 6: UTF-8. The sequences are those of Markus Kuhn's test file, as the suite uses them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from tests.conformance.case import INVALID, Case, cut, fragments, ping
from tests.conformance.client import TEXT, frame

_GREEK = "κ\u1f79σμε"  # noqa: RUF001 - with the omicron of three bytes, as the suite has it
_SURROGATE = b"\xed\xa0\x80"
_BROKEN = _GREEK.encode() + _SURROGATE + b"edited"
_OVERLONG = (2, 3, 4, 5, 6)


def _points(*numbers: int) -> list[bytes]:
    return [chr(number).encode() for number in numbers]


def _octal(text: str) -> list[bytes]:
    return [bytes.fromhex(one) for one in text.split()]


# By the section of the suite; whether it is UTF-8 is Python's word, checked against the suite's in test_cases.
VALID: dict[str, list[bytes]] = {
    "6.5": [one.encode() for one in accumulate(_GREEK)],
    "6.7": _points(0, 0x80, 0x800, 0x10000),
    "6.9": _points(0x7F, 0x7FF, 0xFFFF, 0x10FFFF),
    "6.11": [*_points(0xD7FF, 0xE000, 0xFFFD, 0x10FFFF)],
    "6.22": _points(*(plane << 16 | last for plane in range(17) for last in (0xFFFE, 0xFFFF))),
    "6.23": _points(0xFFF9, 0xFFFA, 0xFFFB, 0xFFFC, 0xFFFD, 0xFFFE, 0xFFFF),
}
BROKEN: dict[str, list[bytes]] = {
    "6.8": _octal("f888808080 fc8480808080"),
    "6.10": _octal("f7bfbfbf fbbfbfbfbf fdbfbfbfbfbf"),
    "6.12": [*_octal("80 bf"), *(bytes([0x80, 0xBF] * 4)[:n] for n in range(2, 7)),
             bytes(range(0x80, 0xC0))],
    "6.13": [b"".join(bytes([lead, 0x20]) for lead in range(first, end))
             for first, end in ((0xC0, 0xE0), (0xE0, 0xF0), (0xF0, 0xF8), (0xF8, 0xFC), (0xFC, 0xFE))],
    "6.14": _octal("c0 e080 f08080 f8808080 fc80808080 df efbf f7bfbf fbbfbfbf fdbfbfbfbf"),
    "6.15": _octal("c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf"),
    "6.16": _octal("fe ff fefeffff"),
    "6.17": _octal("c0af e080af f08080af f8808080af fc80808080af"),
    "6.18": _octal("c1bf e09fbf f08fbfbf f887bfbfbf fc83bfbfbfbf"),
    "6.19": _octal("c080 e08080 f0808080 f880808080 fc8080808080"),
    "6.20": _octal("eda080 edadbf edae80 edafbf edb080 edbe80 edbfbf"),
    "6.21": _octal("eda080edb080 eda080edbfbf edadbfedb080 edadbfedbfbf"
                   " edae80edb080 edae80edbfbf edafbfedb080 edafbfedbfbf"),
}  # fmt: skip


def texts() -> Iterator[Case]:
    yield Case(number="6.1.1", sent=[frame(TEXT)], messages=[INVALID])
    yield Case(number="6.1.2", sent=fragments([b""] * 3), messages=[INVALID])
    yield Case(number="6.1.3", sent=fragments([b"", ping("middle"), b""]), messages=["middle"])
    said = "Hello-µ@ßöäüàá-UTF-8!!"
    whole = ping(said)
    at = whole.index("ö".encode())
    yield Case(number="6.2.1", sent=[frame(TEXT, whole)], messages=[said])
    yield Case(number="6.2.2", sent=fragments([whole[:at], whole[at:]]), messages=[said])
    yield Case(number="6.2.3", sent=fragments(cut(whole, 1)), messages=[said])
    yield Case(number="6.2.4", sent=fragments(cut(ping(_GREEK), 1)), messages=[_GREEK])
    yield Case(number="6.3.1", sent=[frame(TEXT, _BROKEN)], closes=1007)
    yield Case(number="6.3.2", sent=fragments(cut(_BROKEN, 1)), closes=1007)
    yield from _fail_fast()
    greek = _GREEK.encode()
    for number in range(1, len(greek) + 1):
        yield _sequence(f"6.6.{number}", greek[:number])
    for table in (VALID, BROKEN):
        for section, sequences in table.items():
            for number, sequence in enumerate(sequences, 1):
                yield _sequence(f"{section}.{number}", sequence)
    yield _sequence("6.11.5", b"\xf4\x90\x80\x80")


def _fail_fast() -> Iterator[Case]:
    """The suite waits for the end after the broken part; aiohttp looks at the whole message only."""
    beyond = b"\xf4\x90\x80\x80"
    for number, pieces in (
        (1, (_GREEK.encode(), beyond, b"edited")),
        (2, (_GREEK.encode() + b"\xf4", b"\x90", b"\x80\x80edited")),
    ):
        yield Case(number=f"6.4.{number}", sent=fragments(pieces), closes=1007, deviation="fail-fast")
        one = frame(TEXT, b"".join(pieces))
        at = len(one) - len(pieces[2])
        yield Case(
            number=f"6.4.{number + 2}",
            sent=[one[: at - len(pieces[1])], one[at - len(pieces[1]) : at], one[at:]],
            closes=1007,
            deviation="fail-fast",
        )


def _sequence(number: str, sequence: bytes) -> Case:
    """As the string of a ping where it is UTF-8, escaped where JSON wants that; the suite sends it bare."""
    try:
        said = sequence.decode()
    except UnicodeDecodeError:
        return Case(number=number, sent=[frame(TEXT, sequence)], closes=1007)
    return Case(number=number, sent=[frame(TEXT, ping(said))], messages=[said])
