"""YAML as kubectl reads it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from kstream.documents import MAX_DEPTH, told
from kstream.sources.goyaml import read_first


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# remark", None),
        ("a: 1\n---\nb: [", {"a": 1}),
        ('{\n\t"a": [1]}', {"a": [1]}),
        ("[yes, No, on, OFF, y, n, true]", [True, False, True, False, True, False, True]),
        ("[~, null, '', '~', !!null ~]", [None, None, "", "~", None]),
        (
            "[2024-01-01, 1:30, =, <<, 0b2, 09x, +, '1']",
            ["2024-01-01", "1:30", "=", "<<", "0b2", "09x", "+", "1"],
        ),
        ("[0777, 0o7, -07, 0x1F, 0b11, 1_000, +1, 0]", [511, 7, -7, 31, 3, 1000, 1, 0]),
        ("[1e3, .5, 1., 08, -1.5]", [1000.0, 0.5, 1.0, 8.0, -1.5]),
        ("[!!str 1, !other 1, !!float 1, !!int 5, !!binary aGk=]", ["1", "1", 1.0, 5, "hi"]),
        ("{5: a, true: b, 1.5: c}", {"5": "a", "true": "b", "1.5": "c"}),
        ("a: 1\na: 2", {"a": 2}),
        ("<<: [{a: 1}, {a: 2, b: 3}]\nb: 4", {"a": 1, "b": 4}),
        ("x: &x {a: 1}\nz: [*x, *x]", {"x": {"a": 1}, "z": [{"a": 1}, {"a": 1}]}),
        ("a: " + "9" * 5000, {"a": "9" * 5000}),
    ],
)
def test_what_is_written_is_the_value_that_kubectl_sees(text: str, value: Any) -> None:
    read = read_first(text.encode())
    assert read == value
    assert repr(read) == repr(value)  # True is 1, but not the same


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_first_bytes_say_how_it_is_encoded(coding: str) -> None:
    assert read_first("a: ä".encode(coding)) == {"a": "ä"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a: hunter2\xff", "at byte 10, it has control characters, or bytes that"),
        (b"a: hunter2\0", "at byte 10, it has control characters, or bytes that"),
        (b"a: 'hunter2", "line 1"),
        (b"a: *hunter2", "an alias refers to what is not there"),
        (b"a: &hunter2 [*hunter2]", "or to what it is in"),
        (b"? [hunter2]\n: 1", "a key is no text, line 1, column 3"),
        (b"? ~\n: 1", "a key is no text"),
        (b"<<: hunter2", "what is merged with << is no mapping"),
        (b"a: !!int hunter2", "what is called !!int is none, line 1, column 4"),
        (b"a: !!bool 1", "what is called !!bool is none"),
        (b"a: !!binary hunter2!", "not base64 of text"),
        (b"a: .nan", "not finite"),
        (b"a: -.inf", "not finite"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested more than"),
        (b"[" * 5000, "nest"),
    ],
)
def test_what_is_wrong_is_said_and_not_repeated(data: bytes, said: str) -> None:
    with pytest.raises(yaml.YAMLError) as raised:
        read_first(data)
    assert said in told(raised.value)
    assert "hunter2" not in told(raised.value)


def test_aliases_may_repeat_but_not_multiply() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
    with pytest.raises(yaml.YAMLError, match="far larger than it is written"):
        read_first(bomb.encode())
