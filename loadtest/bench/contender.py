"""What a contender of the fan-out benchmarks speaks: it prints its port, then does the bursts that stdin asks for.

A line in is {"flushes": F, "size": K, "pause": S}: F times K messages to every client, S seconds of sleep after each.
The line out is {"cpu": seconds of this process, "messages": messages for each client}. `{}` in, nothing to do: the
answer is {"clients": how many are connected, "memory": resident bytes}.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

Burst = Callable[[int], Awaitable[None]]  # send this many messages to every client


def resident(process: int | str = "self", *, peak: bool = False) -> int:
    """Bytes of memory that a process holds (VmRSS), or has held at most (VmHWM).

    Not what `getrusage` says: there, a child that was forked from a large process begins with that one's peak.
    """
    wanted = "VmHWM:" if peak else "VmRSS:"
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(wanted):
            return int(line.split()[1]) * 1024
    return 0


async def obey(port: int, clients: Callable[[], int], burst: Burst) -> None:
    """Serve the benchmark until stdin ends."""
    loop = asyncio.get_running_loop()
    say({"port": port})
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        order = json.loads(line)
        if not order:
            gc.collect()
            say({"clients": clients(), "memory": resident()})
            continue
        gc.collect()
        gc.freeze()
        cpu = time.process_time()
        for _ in range(order["flushes"]):
            await burst(order["size"])
            await asyncio.sleep(order["pause"])
        say({"cpu": time.process_time() - cpu, "messages": order["flushes"] * order["size"]})


def say(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def payload(size: int) -> str:
    """A message of `size` characters as the peers send it, finished: they are spared the encoding.

    A pod's event, padded with a label whose value does not compress to nothing.
    """
    body = pod(0, size - 96).decode()
    before = '{"type":"pod_event","action":"MODIFIED","seq":1000000,"data":'
    text = before + body + ',"timestamp":"2025-01-24T10:00:00.000Z"}'
    return text.ljust(size)[:size]


def pod(number: int, size: int) -> bytes:
    """The body of a pod of about `size` bytes, with the entropy of a real one: names, images, hashes, labels."""
    name = f"checkout-{number * 2654435761 % 2**32:08x}-{number * 40503 % 65536:04x}"
    containers = []
    text = ""
    index = 0
    while True:
        containers.append(
            {
                "name": f"app-{index}",
                "image": f"registry.example/shop/app-{index}:{(number * 31 + index) * 48271 % 2**31:08x}",
                "ready": True,
                "restartCount": number % 7,
                "state": "running",
            }
        )
        fields = {
            "name": name,
            "uid": f"{number * 2654435761 % 2**32:08x}-4a1b-4c2d-8e3f-{number * 1099511628211 % 2**48:012x}",
            "namespace": "shop",
            "nodeName": f"node-{number % 97}",
            "phase": "Running",
            "status": "Running",
            "containers": containers,
            "labels": {"app": "checkout", "pod-template-hash": f"{number * 7919 % 2**32:08x}"},
            "creationTimestamp": "2025-01-24T09:30:00Z",
        }
        longer = json.dumps(fields, separators=(",", ":"))
        if len(longer) > size and text:
            return text.encode()
        text = longer
        if len(longer) > size:
            return text.encode()
        index += 1
