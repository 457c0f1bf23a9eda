from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.watching.lines import MAX_LINE, LineSplitter


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


def test_a_line_may_be_as_long_as_the_limit_and_no_longer_however_it_comes() -> None:
    for cuts in ((4,), (1, 3), (1, 1, 1, 1)):
        whole, over = LineSplitter(limit=4), LineSplitter(limit=3)
        text = b"abcd"
        for size in cuts:
            part, text = text[:size], text[size:]
            whole.feed(part)
            over.feed(part)
        assert whole.feed(b"\nnext\n") == [b"abcd", b"next"]
        assert not whole.oversize
        assert over.feed(b"\nnext\n") == []
        assert over.oversize


@pytest.mark.parametrize("end", [b"cde\nab\n", b"cd\nabcde\nab\n"])
def test_a_line_whose_end_makes_it_too_long_stops_the_splitter(end: bytes) -> None:
    splitter = LineSplitter(limit=4)
    assert splitter.feed(b"ab") == []
    assert splitter.feed(end) == ([] if end.startswith(b"cde") else [b"abcd"])
    assert splitter.oversize
    assert splitter.feed(b"ab\n") == []


def test_a_blank_line_is_left_out_wherever_it_was_cut() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b" \t") == []
    assert splitter.feed(b" \n\n \na\n b\n\r\n") == [b"a", b" b"]
    assert splitter.feed(b"") == []
    assert splitter.feed(b"c\n") == [b"c"], "nothing is left of what was blank"


def test_what_waits_is_counted_anew_after_each_line() -> None:
    splitter = LineSplitter(limit=4)
    for _ in range(3):
        assert splitter.feed(b"abc") == []
        assert splitter.feed(b"d\n") == [b"abcd"]
    assert splitter.feed(b"abcd") == []
    assert not splitter.oversize
    assert splitter.feed(b"e") == []
    assert splitter.oversize


def test_a_line_that_is_whole_is_not_copied() -> None:
    data = b"abc\ndef\n"
    assert [line.obj for line in LineSplitter().feed(data) if isinstance(line, memoryview)] == [data, data]


def test_a_line_may_have_16_mib() -> None:
    assert MAX_LINE == 2**24
    splitter = LineSplitter()
    splitter.feed(b"x" * MAX_LINE)
    assert not splitter.oversize
    splitter.feed(b"x")
    assert splitter.oversize
