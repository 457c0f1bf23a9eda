"""The lines of `kstream tail`."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from kstream.render import Renderer

MESSAGES = [
    step["server"]
    for path in sorted((Path(__file__).parent.parent / "fixtures" / "messages").glob("*.json"))
    for step in json.loads(path.read_text())["steps"]
    if "server" in step
]
POD = {
    "uid": "p",
    "name": "web-1",
    "namespace": "shop",
    "nodeName": "node-1",
    "status": "CrashLoopBackOff",
    "containers": [{"ready": True}, {"ready": False}],
}
AT = "2025-01-24T10:00:02.123Z"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def line(message: dict[str, Any]) -> str:
    return re.sub(r"  +", "  ", Renderer().line({"timestamp": AT, **message}))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            {"type": "pod_event", "action": "ADDED", "data": POD},
            "10:00:02.123 + pod  shop/web-1  CrashLoopBackOff  1/2  node-1",
        ),
        (
            {
                "type": "pod_event",
                "action": "MODIFIED",
                "data": {**POD, "nodeName": None, "status": "Pending"},
            },
            "10:00:02.123 ~ pod  shop/web-1  Pending  1/2  <none>",
        ),
        (
            {"type": "pod_event", "action": "DELETED", "data": {"uid": "p", "name": "a", "namespace": "b"}},
            "10:00:02.123 - pod  b/a",
        ),
        (
            {
                "type": "node_event",
                "action": "MODIFIED",
                "data": {"uid": "n", "name": "node-1", "status": "NotReady", "role": "worker"},
            },
            "10:00:02.123 ~ node  node-1  NotReady  worker",
        ),
        (
            {"type": "namespace_event", "action": "ADDED", "data": {"name": "shop", "status": "Active"}},
            "10:00:02.123 + namespace  shop  Active",
        ),
        (
            {
                "type": "connection",
                "status": "connected",
                "cluster": {"name": "prod", "version": "v1.29.0"},
                "source": "live",
                "resumed": True,
            },
            "10:00:02.123 connected  prod  v1.29.0  live  resumed",
        ),
        (
            {"type": "connection", "status": "reconnecting", "cluster": {"name": "prod"}},
            "10:00:02.123 reconnecting  prod  what is shown is stale",
        ),
        (
            {"type": "initial_state", "seq": 7, "data": {"nodes": [1], "pods": [1] * 1500, "namespaces": []}},
            "10:00:02.123 state  1 node, 1,500 pods, 0 namespaces  seq 7",
        ),
        (
            {"type": "initial_state", "data": {"nodes": [], "pods": [], "namespaces": []}},
            "10:00:02.123 state  0 nodes, 0 pods, 0 namespaces  (more pods follow)",
        ),
        (
            {
                "type": "batch",
                "seq": 9,
                "data": [
                    {"type": "pod_event", "action": "ADDED", "data": POD},
                    {"type": "node_event", "action": "DELETED", "data": {"name": "n-2"}},
                ],
            },
            "10:00:02.123 batch  2 events  seq 9  +1  -1  +shop/web-1 CrashLoopBackOff  -n-2",
        ),
        (
            {
                "type": "metrics",
                "data": {
                    "totalNodes": 5,
                    "readyNodes": 4,
                    "totalPods": 150,
                    "runningPods": 140,
                    "pendingPods": 8,
                    "failedPods": 2,
                },
            },
            "10:00:02.123 metrics  nodes 4/5 ready  pods 150:  running 140  pending 8  failed 2",
        ),
        (
            {"type": "error", "error": {"code": "WATCH_ERROR", "message": "It broke", "details": "pods"}},
            "10:00:02.123 error  WATCH_ERROR  It broke (pods)",
        ),
        (
            {"type": "playback", "data": {"state": "paused", "at": "09:00", "speed": 2.0}},
            "10:00:02.123 playback  paused  at 09:00  speed 2",
        ),
        ({"type": "pong"}, "10:00:02.123 pong"),
        ({"type": "weather"}, "10:00:02.123 weather  (not known to this version)"),
    ],
)
def test_a_message_is_one_readable_line(message: dict[str, Any], expected: str) -> None:
    assert line(message) == expected


def test_every_golden_message_fits_the_terminal() -> None:
    renderer = Renderer(width=60)
    assert MESSAGES
    for message in MESSAGES:
        assert len(renderer.line(message)) <= 60


def test_a_line_that_is_cut_says_so() -> None:
    cut = Renderer(width=40).line({"type": "error", "error": {"code": "X", "message": "y" * 99}})
    assert len(cut) == 40
    assert cut.endswith("y…")


def test_colours_add_nothing_but_colours() -> None:
    for message in MESSAGES:
        coloured = Renderer(width=80, colour=True).line(message)
        assert re.sub(r"\x1b\[\d+m", "", coloured).rstrip() == Renderer(width=80).line(message)


def test_what_the_server_sent_cannot_drive_the_terminal() -> None:
    evil = "a\x1b]0;title\x07b\r\nc\x9b31m\u2028d\u202ee\u200bf"
    for message in (
        {"type": evil, "timestamp": evil, "data": None},
        {"type": "pod_event", "action": "ADDED", "data": {**POD, "name": evil, "status": evil}},
        {"type": "error", "error": {"code": evil, "message": evil, "details": evil}},
    ):
        shown = Renderer(colour=False).line({"timestamp": AT, **message})
        assert shown.isprintable()
        assert r"\u001b]0;title" in shown
        if message["type"] != evil:
            assert r"\u202ee\u200bf" in shown


@pytest.mark.parametrize(
    "message", [{}, {"type": "batch", "data": [7]}, {"type": "error"}, {"type": "pod_event"}]
)
def test_a_message_of_any_shape_has_a_line(message: dict[str, Any]) -> None:
    assert Renderer().line(message)


def test_colours_are_for_terminals_and_may_be_refused() -> None:
    assert Renderer.for_stream(Terminal(), {"TERM": "xterm"}).colour
    assert not Renderer.for_stream(Terminal(), {"TERM": "dumb"}).colour
    assert not Renderer.for_stream(Terminal(), {"NO_COLOR": "1"}).colour
    assert Renderer.for_stream(io.StringIO(), {"TERM": "xterm"}) == Renderer(width=None, colour=False)
