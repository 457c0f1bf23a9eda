"""Faults of the WebSocket side, as they are written."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from kstream.core.delivery import socketfaults
from kstream.core.delivery.socketfaults import (
    CloseWith,
    Deaf,
    Delay,
    Drop,
    Mute,
    Refuse,
    SocketFault,
    parse_faults,
)
from kstream.core.errors import ConfigError, UsageError


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop:after=10", Drop(kind="drop", after=10)),
        ("drop:after=0", Drop(kind="drop", after=0)),
        ("close:after=0.5", CloseWith(kind="close", after=0.5, code=1011)),
        ("close:after=10,code=1000", CloseWith(kind="close", after=10, code=1000)),
        ("close:code=4999,after=10,", CloseWith(kind="close", after=10, code=4999)),
        ("delay:seconds=0.5", Delay(kind="delay", seconds=0.5)),
        ("delay:seconds=600", Delay(kind="delay", seconds=600)),
        ("mute", Mute(kind="mute", after=0)),
        ("mute:after=3", Mute(kind="mute", after=3)),
        ("deaf", Deaf(kind="deaf", after=0)),
        ("deaf:", Deaf(kind="deaf", after=0)),
        ("deaf:after=3", Deaf(kind="deaf", after=3)),
        ("refuse:first=1", Refuse(kind="refuse", first=1)),
    ],
)
def test_a_fault_is_its_kind_and_what_it_takes(text: str, fault: SocketFault) -> None:
    assert parse_faults([text]) == (fault,)
    assert type(parse_faults([text])[0]) is type(fault)


def test_several_faults_stay_in_their_order() -> None:
    assert [fault.kind for fault in parse_faults(["mute", "drop:after=1", "mute"])] == [
        "mute",
        "drop",
        "mute",
    ]
    assert parse_faults([]) == ()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "kind"),
        ("burn", "kind"),
        ("drop", "after"),
        ("drop:after=-1", "after"),
        ("drop:after=soon", "after"),
        ("drop:after=1,code=1000", "code"),
        ("close:after=1,code=999", "code"),
        ("close:after=1,code=5000", "code"),
        ("delay:seconds=0", "seconds"),
        ("delay:seconds=600.1", "seconds"),
        ("mute:after=-1", "after"),
        ("deaf:after=-0.5", "after"),
        ("refuse:first=0", "first"),
        ("refuse:first=1000001", "first"),
        ("drop:after=86400.5", "after"),
        ("refuse:first=1.5", "first"),
        ("refuse", "first"),
    ],
)
def test_what_is_wrong_is_named_with_the_fault_that_it_is_in(text: str, place: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_faults(["mute", text])
    assert str(refused.value).startswith(f"--fault {text!r}: {place}: ")
    assert str(refused.value).endswith("; see docs/faults.md")


def test_a_part_without_a_value_is_shown_with_what_to_write() -> None:
    with pytest.raises(ConfigError) as refused:
        parse_faults(["drop:after"])
    assert str(refused.value) == "--fault 'drop:after': 'after' is not NAME=VALUE; write drop:after=10"


def test_a_fault_does_not_change_while_it_is_served() -> None:
    (fault,) = parse_faults(["refuse:first=3"])
    with pytest.raises(ValidationError):
        fault.first = 4  # type: ignore[union-attr]


def test_the_faults_that_are_described_are_those_that_there_are() -> None:
    described = [
        row.split("`")[1] for row in (socketfaults.__doc__ or "").splitlines() if row.startswith("| `")
    ]
    assert [fault.kind for fault in parse_faults(described)] == [
        "drop",
        "close",
        "delay",
        "mute",
        "deaf",
        "refuse",
    ]


def test_a_fault_may_last_for_a_day_and_refuse_a_million() -> None:
    assert len(parse_faults(["drop:after=86400", "refuse:first=1000000"])) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("foo", "kind: there is no 'foo'; there are drop, close, delay, mute, deaf, refuse"),
        ("drop:foo=1", "foo: there is no such key; there are after"),
        ("close:after=x", "after: must be a number, not 'x'"),
        ("drop", "after: this key is missing"),
    ],
)
def test_what_is_wrong_is_said_with_what_there_is(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_faults([text])
    assert str(refused.value) == f"--fault {text!r}: {said}; see docs/faults.md"
