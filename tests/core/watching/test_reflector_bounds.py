"""How much of what a server says is read."""

from __future__ import annotations

import json

import pytest

from kstream.core.watching.reflection import (
    Broken,
    OutOfTouch,
)
from tests.core.watching.driven import Driven
from tests.making import named
from tests.scripted import line, pod


def test_a_line_of_20_mib_lists_again_and_says_so() -> None:
    driven = Driven().watching("a")
    megabyte = b"x" * 2**20
    driven.send(line("ADDED", pod("b", "101")))
    for _ in range(20):
        if not driven.closed:
            driven.send(megabyte)
    assert driven.closed
    assert driven.said(Broken)
    assert driven.events == ["ADDED b"]
    assert driven.ask().query == {"limit": "500"}


@pytest.mark.parametrize(
    ("room", "cause"), [(64 * 1024 - 1, "slow down"), (64 * 1024, "no reason was given")]
)
def test_of_a_refusal_64_kib_are_read(room: int, cause: str) -> None:
    driven = Driven().watching("a")
    driven.now += 300
    driven.end()
    driven.ask()
    driven.take(driven.reflector.receive_response(503, {}, driven.moment))
    driven.send(b" " * room, b"slow down", b"!")
    driven.end()
    assert named(driven.notes) == named([OutOfTouch(f"503: {cause}{'!' if room < 64 * 1024 - 9 else ''}")])


def test_a_page_may_be_longer_than_a_refusal() -> None:
    driven = Driven()
    driven.ask()
    items = [pod("a"), pod("b", note="x" * 70_000)]
    text = json.dumps({"metadata": {"resourceVersion": "9"}, "items": items}).encode()
    driven.open()
    driven.send(*(text[at : at + 1000] for at in range(0, len(text), 1000)))
    driven.end()
    assert driven.events == ["ADDED a", "ADDED b"]


def test_a_page_without_end_is_not_read_to_it() -> None:
    driven = Driven()
    driven.ask()
    driven.open()
    megabyte = b" " * 2**20
    for _ in range(256):
        driven.send(megabyte)
    assert not driven.said(OutOfTouch)
    driven.send(b" ")
    assert driven.closed
    assert named(driven.notes[-1:]) == named([OutOfTouch("a page of the list is longer than 256 MiB")])
    assert driven.waits() >= 0.8
    driven.ask()
    driven.page("a")
    assert driven.events == ["ADDED a"]


def test_a_list_without_pages_may_be_longer_than_a_page() -> None:
    driven = Driven()
    driven.ask()
    driven.page("a", more="token")
    driven.ask()
    driven.page("b", more="token")  # the same page again: the list is begun anew, without pages
    driven.waits()
    driven.ask()
    driven.open()
    driven.notes.clear()
    part = bytes(256 << 20)
    for _ in range(8):
        driven.send(part)
    assert (driven.notes, driven.closed) == ([], False)
    driven.send(b" ")
    assert named(driven.notes) == named([OutOfTouch("a page of the list is longer than 2048 MiB")])
    assert driven.closed
