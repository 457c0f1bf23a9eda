"""YAML that is wrong in ways that PyYAML has no error for."""

from __future__ import annotations

import pytest
import yaml

from kstream.documents import MAX_DEPTH, read_document, told


def wrong(text: str) -> str:
    with pytest.raises(yaml.YAMLError) as raised:
        read_document(text)
    return told(raised.value)


def test_a_document_is_read_with_its_lines() -> None:
    root, value = read_document("a: 1\nb: [x, 2025-01-24]\n")
    assert isinstance(root, yaml.MappingNode)
    assert root.value[1][0].start_mark.line == 1
    assert value["a"] == 1


def test_nothing_is_no_document() -> None:
    assert read_document("# only a remark\n") == (None, None)


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "9" * 5000,
        "a: 2001-99-99",
        "a: !!int x",
        "a: !!bool x",
        "a: !!timestamp x",
        'a: "\\U00110000"',
    ],
)
def test_a_value_that_is_none_is_an_error_of_the_document(text: str) -> None:
    assert "not what it seems" in wrong(text)


def test_so_deep_and_no_deeper() -> None:
    inner = MAX_DEPTH - 1
    read_document("[" * inner + "x" + "]" * inner)
    assert "deep" in wrong("[" * (inner + 1) + "x" + "]" * (inner + 1))
    assert "deep" in wrong("[" * 5000)


def test_depth_through_aliases_counts() -> None:
    half = MAX_DEPTH // 2
    text = f"a: &a {'[' * half}x{']' * half}\nb: {'[' * half}*a{']' * half}\n"
    assert "deep" in wrong(text)


def test_aliases_may_repeat_but_not_multiply() -> None:
    read_document("a: &a [x, y]\nb: [*a, *a]\n")
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
    assert "aliases" in wrong(bomb)
    assert "refers to what it is in" in wrong("&a [*a]")


def test_half_of_a_character_is_none() -> None:
    assert "lone surrogate" in wrong('a: "\\ud800"')


@pytest.mark.parametrize(
    "text", ["token: hunter2: x", "token: 'hunter2", "token: hunter2\n\t- [", "a: [hunter2"]
)
def test_what_is_said_has_the_line_and_nothing_of_the_document(text: str) -> None:
    said = wrong(text)
    assert "line " in said
    assert "hunter2" not in said
