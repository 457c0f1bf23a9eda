"""Documents are found whatever is in them, and however they are written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.errors import ConfigError
from kstream.core.imports import documents as module
from kstream.core.imports.documents import documents
from kstream.core.imports.foreign import MAX_LINE, Line
from tests.core.imports.making import file


@given(
    st.lists(st.dictionaries(st.text(), st.lists(st.text()), min_size=1), max_size=4),
    st.sampled_from([None, 1, 4]),
)
def test_whatever_is_in_documents_they_are_found_again(
    items: list[dict[str, list[str]]], indent: int | None
) -> None:
    text = "\n".join(json.dumps(each, indent=indent) for each in items).encode()
    lines = [Line("f", number, raw) for number, raw in enumerate(text.split(b"\n"), 1)]
    assert [json.loads(raw) for _, raw in documents(lines)] == items


def test_one_that_is_cut_off_says_so() -> None:
    (whole, cut) = documents(file("", "{", "}\r", "{", '  "a": 1')())
    assert (whole.line.number, whole.line.whole, whole.raw) == (2, True, b"{\n}")
    assert (cut.line.number, cut.line.whole) == (4, False)


def test_one_that_is_torn_ends_where_the_next_one_begins() -> None:
    torn = file("{", '  "a": 1', '{"b":2}', "{", "  1", "{", "}")
    assert [(line.number, line.whole, raw) for line, raw in documents(torn())] == [
        (1, True, b'{\n  "a": 1'),
        (3, True, b'{"b":2}'),
        (4, True, b"{\n  1"),
        (6, True, b"{\n}"),
    ]


def test_a_document_without_an_end_is_refused_before_it_takes_all_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert MAX_LINE == 16 * 1024 * 1024
    monkeypatch.setattr(module, "MAX_LINE", 100)
    with pytest.raises(ConfigError, match="f, line 1: a document of more than 100 bytes begins here"):
        list(documents(file("{", *["  " + "x" * 30 for _ in range(9)])()))
