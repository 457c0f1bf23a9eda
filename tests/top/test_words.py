"""What the glance says, in every state of the connection, and of every size."""

from __future__ import annotations

from typing import Any

import pytest

from kstream.client import Link, Status
from kstream.core.client.state import ClientState
from kstream.core.errors import UnreachableError
from kstream.core.timeline.events import Kind
from kstream.core.timeline.wellness import Badness
from kstream.top import words
from kstream.top.board import By, Trouble
from kstream.top.spans import Span
from tests.top.drawn import text_of
from tests.top.feeds import HELLO, node, pod, state
from tests.top.test_board import board

CONNECTED = Status(Link.CONNECTED)
STAMP = {"timestamp": "2026-01-24T10:00:02.000Z"}
DENIED = {"code": "PERMISSION_DENIED", "message": "no", "details": "list pods"}


def known(*messages: dict[str, Any]) -> ClientState:
    made = ClientState()
    for message in messages:
        made.apply({**STAMP, **message})
    return made


def playback(state: str, speed: Any) -> dict[str, Any]:
    return {"type": "playback", "data": {"state": state, "speed": speed, "at": "x", "start": "x", "end": "x"}}


def error(fault: str | None = None) -> dict[str, Any]:
    return {"type": "error", "error": DENIED | ({"fault": fault} if fault else {})}


WHOLE = (HELLO, state([], []))
LOST = {**HELLO, "status": "reconnecting"}


@pytest.mark.parametrize(
    ("messages", "status", "said"),
    [
        ((), Status(Link.CONNECTING), "no cluster yet   [connecting]"),
        (WHOLE, CONNECTED, "tea v1.36.0 live  [connected]"),
        ((HELLO,), CONNECTED, "tea v1.36.0 live  [waiting for a state]"),
        ((*WHOLE, LOST), CONNECTED, "tea v1.36.0 live  [stale: the server has lost the cluster]"),
        ((*WHOLE, error("permission:list:pods")), CONNECTED, "tea v1.36.0 live  [connected in part]"),
        (WHOLE, Status(Link.WAITING, "gone", 8.0, 3), "tea v1.36.0 live  [reconnecting in 7 s]"),
        (WHOLE, Status(Link.CLOSED, "refused"), "tea v1.36.0 live  [not connected]"),
        ((*WHOLE, playback("paused", 4.0)), CONNECTED, "tea v1.36.0 live  [connected]  ⏸ paused 4x"),
        ((*WHOLE, playback("playing", "max")), CONNECTED, "tea v1.36.0 live  [connected]  ▶ playing max"),
    ],
)
def test_the_header_says_whether_what_is_shown_is_true(
    messages: tuple[dict[str, Any], ...], status: Status, said: str
) -> None:
    assert text_of(words.header(known(*messages), status, time=None, wait=7.2)) == said


def test_the_header_says_as_of_when_what_is_shown_is_true() -> None:
    pong = {"type": "pong", "asOf": "2026-01-24T10:00:01.000Z"}
    said = text_of(words.header(known(*WHOLE, pong), CONNECTED, time=0.0, wait=0.0))
    assert said.endswith("  1970-01-01 00:00:00 UTC  as of 10:00:01")
    elsewhere = known(*WHOLE, pong, playback("paused", 1.0))
    assert "as of" not in text_of(words.header(elsewhere, CONNECTED, time=0.0, wait=0.0))


@pytest.mark.parametrize(
    ("messages", "status", "said"),
    [
        (WHOLE, CONNECTED, None),
        ((HELLO, error()), CONNECTED, "PERMISSION_DENIED: no (list pods)"),
        ((HELLO, error("a"), error("b")), CONNECTED, "PERMISSION_DENIED: no (list pods); " * 2),
        (WHOLE, Status(Link.WAITING, "bye\x1b"), r"The server is gone: bye\u001b. What is shown is old."),
        (
            WHOLE,
            Status(Link.CONNECTING, "bye", failed=5, error=UnreachableError("bye")),
            "The server is gone: bye. 5 attempts failed; trying goes on. What is shown is old.",
        ),
        (
            WHOLE,
            Status(Link.WAITING, "is it there?"),
            "The server is gone: is it there? What is shown is old.",
        ),
        (WHOLE, Status(Link.CLOSED, "refused"), "refused"),
    ],
)
def test_what_is_wrong_is_said(
    messages: tuple[dict[str, Any], ...], status: Status, said: str | None
) -> None:
    problem = words.problem(known(*messages), status)
    assert (text_of(problem) if problem is not None else None) == (said.removesuffix("; ") if said else said)


def test_the_tiles_count_what_is_not_well() -> None:
    data = [node("n1"), node("n2", "NotReady")], [pod("a-1"), pod("b-1", "Error"), pod("c-1", "Pending")]
    made = board(*data[1], nodes=tuple(data[0]))
    told = words.tiles(made, known(HELLO, state(*data)), 1234)
    assert text_of(told) == (
        "nodes 1/2 ready  pods 3  X 1 failing  w 1 waiting  · 1 well  namespaces 1  events/min 1,234"
    )
    assert Span("X 1 failing", "bad") in told
    assert text_of(words.tiles(made, ClientState(), 0)) == "No state has come yet."


def test_a_trouble_says_how_many_of_whom() -> None:
    several = Trouble(Badness.FAILING, "Deployment shop/cart", "Error", 1200, "u", Kind.POD)
    assert text_of(words.trouble(several)) == "X 1,200x Error  Deployment shop/cart"
    assert (
        text_of(words.trouble(several._replace(number=1, status="")))
        == "X no status yet  Deployment shop/cart"
    )


@pytest.mark.parametrize("by", list(By))
@pytest.mark.parametrize("width", [140, 80, 40, 1])
def test_the_columns_fit_and_say_the_name_and_the_status_longest(by: By, width: int) -> None:
    data = pod("a-very-long-name-of-a-pod-5d8f-abcde", "CrashLoopBackOff")
    row = board(data).pods[data["uid"]]
    head = text_of(words.table_head(by, width))
    line = text_of(words.table_line(row, data, by, width, time=None))
    assert "NAME" in head
    assert "STATUS" in head
    if width >= 40:
        assert len(head) <= width
        assert len(line) <= width + 1  # a blank at its end
    if width >= 80:
        assert head.split()[0] == by.name
        assert "X CrashLoopBackOff" in line


def test_a_line_of_the_table_has_what_kubectl_prints_of_a_pod() -> None:
    data = pod("a-1")
    row = board(data).pods["u-a-1"]
    line = text_of(
        words.table_line(row, data, By.NAMESPACE, 120, time=words.seconds_of("2026-01-24T10:00:00Z"))
    )
    assert line.split() == ["shop", "a-1", "1/1", "·", "Running", "2", "60s", "n1"]
    assert text_of(words.table_line(row, {}, By.NAMESPACE, 120, time=0.0)).split()[2] == "0/0"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "0s"), (119, "119s"), (120, "2m"), (130, "2m10s"), (650, "10m"), (10_799, "179m"), (10_860, "3h1m"),
     (36_000, "10h"), (180_000, "2d2h"), (172_800, "2d"), (900_000, "10d")],
)  # fmt: skip
def test_ages_are_as_kubectl_prints_them(seconds: float, text: str) -> None:
    assert words.age(seconds) == text


@pytest.mark.parametrize("stamp", [None, 5, "yesterday", "2026-13-01T00:00:00Z"])
def test_what_is_no_time_is_none(stamp: object) -> None:
    assert words.seconds_of(stamp) is None
