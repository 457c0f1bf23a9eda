from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kstream.core.watching.lines import LineSplitter


@given(st.lists(st.binary(max_size=12).map(lambda b: b.replace(b"\n", b"n"))), st.data())
def test_lines_are_the_same_wherever_the_network_cuts_them(lines: list[bytes], data: st.DataObject) -> None:
    text = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    splitter = LineSplitter()
    got = [
        line for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True) for line in splitter.feed(text[a:b])
    ]
    assert got == [line for line in lines if line.strip()]


def test_a_torn_tail_is_never_a_line() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b'{"a"}\n{"b"') == [b'{"a"}']
    assert splitter.feed(b"}") == []
    assert splitter.feed(b"\n") == [b'{"b"}']


def test_a_character_may_be_cut_in_two() -> None:
    splitter = LineSplitter()
    euro = "€\n".encode()
    assert [line for byte in euro for line in splitter.feed(bytes([byte]))] == ["€".encode()]


def test_a_line_over_the_limit_stops_the_splitter_but_not_the_lines_before_it() -> None:
    splitter = LineSplitter(limit=4)
    assert splitter.feed(b"ab\nabcde\nab\n") == [b"ab"]
    assert splitter.oversize
    assert splitter.feed(b"ab\n") == []


def test_a_line_that_never_ends_is_found_before_it_fills_memory() -> None:
    splitter = LineSplitter(limit=10)
    for _ in range(11):
        splitter.feed(b"x")
    assert splitter.oversize
