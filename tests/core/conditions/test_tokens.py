"""An expression in tokens, and what is too long, too deep or none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.conditions.tokens import MAX_DEPTH, MAX_LENGTH, MAX_TOKENS, tokens
from kstream.core.errors import InvalidMessageError


def texts(text: str) -> list[str]:
    return [token.text for token in tokens(text)]


def test_an_expression_is_names_texts_numbers_and_signs_with_their_places() -> None:
    found = tokens('pod.a == "x y" // so\n&& size(b) >= 0x1F')
    assert [token.text for token in found] == [
        *("pod", ".", "a", "==", '"x y"', "&&", "size", "(", "b", ")", ">=", "0x1F")
    ]
    assert [token.kind for token in found[:5]] == ["name", "sign", "name", "sign", "text"]
    assert [token.at for token in found[:6]] == [1, 4, 5, 7, 10, 22]


@pytest.mark.parametrize("text", ["'a\\'b'", '"""a\n"b"""', "r'\\d'", "b'x'", "1.5e-3", "7u", ".5", "''"])
def test_every_way_to_write_a_value_is_one_token(text: str) -> None:
    assert texts(text) == [text]


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ('"a"', "a"),
        ("'a\"b'", 'a"b'),
        ("'\\n'", None),
        ("r'a'", None),
        ('"""a"""', None),
        ("a", None),
        ("1", None),
    ],
)
def test_the_value_of_a_text_is_known_where_it_stands_there_as_it_is(text: str, literal: str | None) -> None:
    assert tokens(text)[0].literal == literal


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at character 1, near '': it is empty"),
        (" // only a word", "it is empty"),
        ("pod.a == #", "at character 10, near 'pod.a == #': '#' begins nothing"),
        ('pod.a == "x', "'\"' begins nothing"),
        ("a & b", "'&' begins nothing"),
        ("(a", "')' is missing"),
        ("a)", "at character 2, near 'a)': ')' closes nothing"),
        ("(a]", "']' closes nothing"),
        ("x" * (MAX_LENGTH + 1), f"it has {MAX_LENGTH + 1} characters"),
        ("(" * (MAX_DEPTH + 1) + ")" * (MAX_DEPTH + 1), f"more than {MAX_DEPTH} brackets"),
        ("!" * (MAX_TOKENS + 1), f"it has {MAX_TOKENS + 1} words and signs"),
    ],
)
def test_what_is_none_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(InvalidMessageError) as refused:
        tokens(text)
    assert refused.value.details.startswith("where: at character ")
    assert says in refused.value.details


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = tokens(text)
    except InvalidMessageError:
        return
    assert all(text[token.at - 1 :].startswith(token.text) for token in found)
