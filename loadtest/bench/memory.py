"""What an idle client costs in memory, against a bare aiohttp WebSocket; and one that has stopped reading."""

from __future__ import annotations

from collections.abc import Sequence

from loadtest.bench.fanout import python_peer
from loadtest.bench.process import Process
from loadtest.bench.results import Result, amount

_CLIENTS = 2000


def memory(*, quick: bool) -> list[Result]:
    clients = 500 if quick else _CLIENTS
    ours = _each(python_peer("kstream_hub", 400), clients)
    bare = _each(python_peer("aiohttp_send", 400), clients)
    return [
        Result(
            "memory of an idle client, to aiohttp's",
            amount(ours, "B"),
            amount(bare, "B"),
            ours / bare,
            1.25,
            at_most=True,
        )
    ]


def _each(command: Sequence[str], clients: int) -> float:
    with Process.python("loadtest.bench.reader") as reader, Process(command) as server:
        port = server.answer()["port"]

        def connect(count: int) -> int:
            reader.ask({"connect": ["127.0.0.1", port, "/ws"], "count": count, "deflate": False})
            resident: int = server.ask({})["memory"]
            return resident

        # What the first few bring along (caches, pools) is no client's.
        before = connect(100)
        return (connect(clients) - before) / clients
