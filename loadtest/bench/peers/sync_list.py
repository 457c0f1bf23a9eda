"""References of the first sync: the bare download with decoding, and kubernetes-asyncio's typed list."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import aiohttp
import msgspec
from kubernetes_asyncio import client

from kstream.core.kube import objects as kubernetes
from loadtest.bench.contender import resident

_LIMIT = 500
_TYPED_PAGES = 10

T = TypeVar("T")


class _Metadata(msgspec.Struct, rename={"next": "continue"}):
    next: str = ""


class _Page(msgspec.Struct, Generic[T]):
    metadata: _Metadata
    items: list[T]


_DECODERS: dict[str, Callable[[bytes], _Page[Any]]] = {
    "nodes": msgspec.json.Decoder(_Page[kubernetes.Node]).decode,
    "pods": msgspec.json.Decoder(_Page[kubernetes.Pod]).decode,
}


async def bare(url: str) -> int:
    """Every page downloaded, the allowed fields decoded, nothing kept."""
    objects = 0
    async with aiohttp.ClientSession() as session:
        for path, decode in _DECODERS.items():
            token = ""
            while True:
                query = {"limit": str(_LIMIT)} | ({"continue": token} if token else {})
                async with session.get(f"{url}/api/v1/{path}", params=query) as response:
                    page = decode(await response.read())
                objects += len(page.items)
                token = page.metadata.next
                if not token:
                    break
    return objects


async def typed(url: str) -> int:
    """The first pages, as the models of kubernetes-asyncio."""
    objects = 0
    configuration = client.Configuration(host=url)
    async with client.ApiClient(configuration) as api:
        core = client.CoreV1Api(api)
        token = ""
        for _ in range(_TYPED_PAGES):
            page = await core.list_pod_for_all_namespaces(limit=_LIMIT, _continue=token)
            objects += len(page.items)
            token = page.metadata._continue
            if not token:
                break
    return objects


def main() -> None:
    how, url = sys.argv[1:]
    before = _cpu()
    objects = asyncio.run({"bare": bare, "typed": typed}[how](url))
    peak = resident(peak=True)
    # kstream pays for its start, so the bare loop does too; the models' long import is not what is measured.
    cpu = _cpu() - (before if how == "typed" else 0.0)
    sys.stdout.write(json.dumps({"cpu": cpu, "memory": peak, "objects": objects}) + "\n")


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
