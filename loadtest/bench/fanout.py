"""Messages delivered for each CPU second of the server: kstream and its peers, in turns, to the same reader.

The servers take turns in every round, so what else the machine does meets all of them; a ratio is the median of the
rounds' ratios.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

from loadtest.bench.process import Process
from loadtest.bench.results import Result, amount

_NODE = Path(__file__).parent / "node"
_PEERS = "loadtest.bench.peers"
_LIMIT = "a bare loop of writes"  # what the machine allows: what is missing to it is the cost of our own code


class Plan(NamedTuple):
    clients: int
    size: int  # bytes of a message
    burst: int  # messages committed at a time
    flushes: int  # bursts in a round
    rounds: int
    pause: float  # seconds between bursts, for the reader to take them in
    deflate: bool = False


def fan_out(*, quick: bool) -> list[Result]:
    rounds = 5 if quick else 11
    many = Plan(clients=500, size=400, burst=32, flushes=12, rounds=rounds, pause=0.01)
    one = Plan(clients=500, size=400, burst=1, flushes=100, rounds=rounds, pause=0.002)
    deflated = Plan(clients=100, size=4096, burst=8, flushes=12, rounds=rounds, pause=0.005, deflate=True)
    node = _node(one.size)
    peers = {
        "kstream": python_peer("kstream_hub", one.size),
        _LIMIT: python_peer("bare_write", one.size),
        "picows": python_peer("picows_send", one.size),
        "websockets": python_peer("websockets_broadcast", one.size),
    }
    results = _against(
        measure(many, peers), "fan-out, 32 at a time", {"picows": 10.0, "websockets": 18.0, _LIMIT: 0.85}
    )
    if node:
        peers["ws"] = node
    results += _against(
        measure(one, peers),
        "fan-out, one at a time",
        {"picows": 1.0, "websockets": 1.8, "ws": 1.5, _LIMIT: 0.85},
    )
    peers = {
        "kstream": python_peer("kstream_hub", deflated.size),
        "aiohttp": python_peer("aiohttp_send", deflated.size, "deflate"),
    }
    return results + _against(measure(deflated, peers), "fan-out, deflate, 4 KB", {"aiohttp": 8.0})


def _against(rates: Mapping[str, Sequence[float]], name: str, goals: Mapping[str, float]) -> list[Result]:
    results = []
    for peer, goal in goals.items():
        title = f"{name}, to {peer}"
        if peer not in rates:
            results.append(
                Result(title, "", "", None, goal, note="Node or its ws is not installed: make bench")
            )
            continue
        ours, theirs = rates["kstream"], rates[peer]
        ratio = median(mine / other for mine, other in zip(ours, theirs, strict=True))
        figures = (amount(median(ours), " msg/CPU s"), amount(median(theirs), " msg/CPU s"))
        results.append(Result(title, *figures, ratio, goal))
    return results


def measure(plan: Plan, commands: Mapping[str, Sequence[str]]) -> dict[str, list[float]]:
    """Name → messages for each CPU second, one figure a round. Raises RuntimeError if messages got lost."""
    with ExitStack() as stack:
        reader = stack.enter_context(Process.python("loadtest.bench.reader"))
        servers: dict[str, Process] = {}
        number: dict[str, int] = {}
        base: dict[str, int] = {}
        for name, command in commands.items():
            server = servers[name] = stack.enter_context(Process(command))
            port = server.answer()["port"]
            number[name] = reader.ask(
                {"connect": ["127.0.0.1", port, "/ws"], "count": plan.clients, "deflate": plan.deflate}
            )
            # Two rounds to warm up, of which the second is counted from.
            server.ask({"flushes": 20, "size": plan.burst, "pause": plan.pause})
            heard = reader.ask({"wait": number[name], "frames": 20 * plan.burst, "clients": plan.clients})
            base[name] = heard["frames"]
        rates: dict[str, list[float]] = {name: [] for name in servers}
        sent = dict.fromkeys(servers, 0)
        for turn in range(plan.rounds):
            for name in _rotated(list(servers), turn):
                done = servers[name].ask({"flushes": plan.flushes, "size": plan.burst, "pause": plan.pause})
                sent[name] += done["messages"]
                wanted = base[name] + sent[name]
                heard = reader.ask({"wait": number[name], "frames": wanted, "clients": plan.clients})
                if heard["frames"] != wanted:
                    raise RuntimeError(f"{name}: a client got {heard['frames']} messages of {wanted}")
                rates[name].append(done["messages"] * plan.clients / done["cpu"])
        return rates


def _rotated(names: list[str], turn: int) -> list[str]:
    start = turn % len(names)
    return names[start:] + names[:start]


def python_peer(peer: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", f"{_PEERS}.{peer}", *map(str, arguments)]


def _node(size: int) -> list[str] | None:
    """The command of the Node server, its packages installed; None where there is no Node or no way to them."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    if not (_NODE / "node_modules" / "ws").is_dir():
        done = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=_NODE, check=False
        )
        if done.returncode:
            return None
    return [node, str(_NODE / "server.mjs"), str(size)]
