"""What is left of clients that came and went without a word: nothing, however many they were."""

from __future__ import annotations

import socket
import struct

from loadtest.bench.fanout import python_peer
from loadtest.bench.handshake import hello
from loadtest.bench.process import Process
from loadtest.bench.results import Result, amount

_VISITORS = 100_000
_WARM = 5_000  # before that, caches and pools grow
_AT_ONCE = 50
_ABRUPT = struct.pack("ii", 1, 0)  # SO_LINGER: closed with a reset
_GOAL = 8.0  # MB: 80 bytes for each of 100,000


def visitors(*, quick: bool) -> list[Result]:
    count = 10_000 if quick else _VISITORS
    with Process(python_peer("kstream_hub", 400)) as server:
        port = server.answer()["port"]
        _visit(port, _WARM)
        before = server.ask({})["memory"]
        _visit(port, count)
        growth = max(0, server.ask({})["memory"] - before)
    return [
        Result(
            f"memory after {count:,} clients that came and went, MB",
            amount(growth, "B"),
            "",
            growth / 1e6,
            _GOAL,
            at_most=True,
        )
    ]


def _visit(port: int, count: int) -> None:
    """Each shakes hands, reads what comes first, and is gone."""
    request = hello(port)
    for _ in range(count // _AT_ONCE):
        there = [socket.create_connection(("127.0.0.1", port)) for _ in range(_AT_ONCE)]
        for each in there:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABRUPT)
            each.sendall(request)
        for each in there:
            each.recv(4096)
            each.close()
