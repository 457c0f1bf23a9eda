"""The HTTP paths that a page names are served."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import aiohttp
import pytest
import yaml

from kstream.config import VERSION
from simulator.testing import SimulatedServer
from tests.docs.names import spans

_PATH = re.compile(r"(?:(GET|POST) )?(/[\w./-]*)(?:\?.*)?")
# These pages are about the API of Kubernetes.
_KUBERNETES = frozenset({"docs/fake-apiserver.md", "docs/faults.md"})


def named(*, kubernetes: bool) -> list[str]:
    """`METHOD PATH`, of all pages."""
    found = ((span.page, _PATH.fullmatch(span.text)) for span in spans())
    return sorted(
        {
            f"{match[1] or 'GET'} {match[2]}"
            for page, match in found
            if match is not None and (page in _KUBERNETES) is kubernetes
        }
    )


async def status(base: str, request: str) -> int:
    method, path = request.split()
    async with aiohttp.ClientSession() as session, session.request(method, base.rstrip("/") + path) as answer:
        return answer.status


def test_paths_are_found() -> None:
    assert {"POST /api/sim/do", "GET /readyz", "GET /ws"} <= set(named(kubernetes=False))
    assert "GET /api/v1" in named(kubernetes=True)


@pytest.mark.parametrize("request_", named(kubernetes=False))
async def test_a_path_of_ours_is_served(request_: str, server: SimulatedServer) -> None:
    assert await status(server.page, request_.replace("VERSION", VERSION)) != 404


@pytest.mark.parametrize("request_", named(kubernetes=True))
def test_a_path_of_kubernetes_is_served(request_: str, kubeconfig: Path) -> None:
    (cluster,) = yaml.safe_load(kubeconfig.read_text("utf-8"))["clusters"]
    assert asyncio.run(status(cluster["cluster"]["server"], request_)) != 404
