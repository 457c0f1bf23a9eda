"""The real server with Node's `ws`, with kstream.js in Node, and with the Python client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
import pytest

from kstream.client import Client
from kstream.core.client.state import ClientState
from kstream.core.errors import ConfigError, UnreachableError
from kstream.core.timeline.events import Verb
from tests.making import change, pod_key
from tests.node_tests import node, run
from tests.web.serving import Running, serving

__all__ = ["node"]  # a fixture


async def churn(server: Running) -> None:
    """Pods come, change and go, faster than the limit; `the-last` is the last to come."""
    async with aiohttp.ClientSession() as session:
        await _churned(server, session)
    await server.add_pods("the-last")


async def _churned(server: Running, session: aiohttp.ClientSession) -> None:
    for number in range(60):
        added = [pod_key(f"churn-{number}-{pod}", ("a", "b")[pod % 2]) for pod in range(20)]
        await server.log.append([change(Verb.ADDED, key) for key in added])
        await server.log.append([change(Verb.MODIFIED, key, note="changed") for key in added])
        await server.log.append([change(Verb.DELETED, key) for key in added[::3]])
        reached = 0
        while reached < server.log.head:  # so that it takes as long as the server does
            async with session.get(server.http("/api/status")) as answer:
                reached = (await answer.json())["seq"]


@pytest.mark.node
async def test_clients_in_node_get_what_the_contract_says(node: str) -> None:
    async with serving() as server, asyncio.TaskGroup() as tasks:
        tasks.create_task(run(node, "server.test.mjs", {"KSTREAM_URL": server.ws}))
        tasks.create_task(churn(server))


async def until(client: Client, condition: Callable[[ClientState], bool]) -> None:
    async for _ in client.messages():
        if condition(client.state):
            return


def has_the_last(state: ClientState) -> bool:
    return any(pod["name"] == "the-last" for pod in state.pods.values())


async def test_the_python_client_ends_up_with_the_servers_state_after_churn() -> None:
    async with serving() as server, Client(server.ws) as client, asyncio.TaskGroup() as tasks:
        tasks.create_task(churn(server))
        await until(client, has_the_last)
        async with aiohttp.ClientSession() as session, session.get(server.http("/api/state")) as answer:
            state = await answer.json()
        for kind, held in client.state.view().items():
            assert held == sorted(state["data"][kind], key=lambda item: str(item["uid"])), kind
        assert client.state.seq == state["seq"]


async def test_the_python_client_goes_on_after_another_subscription() -> None:
    async with serving() as server, Client(server.ws) as client:
        await until(client, lambda state: state.loaded)
        await server.add_pods("elsewhere", namespace="a")
        await client.subscribe(["a"])
        await until(client, lambda state: [pod["name"] for pod in state.pods.values()] == ["elsewhere"])
        assert not client.state.stale
        assert client.state.resume is not None


async def test_the_python_client_tells_why_it_is_refused() -> None:
    async with serving() as server:
        with pytest.raises(ConfigError, match=r"HTTP 400.*DNS label"):
            async with Client(server.ws, namespaces=["Not_One"]) as client:
                await until(client, lambda state: state.loaded)


async def test_the_python_client_tells_that_a_server_is_full() -> None:
    async with serving(max_clients=1) as server, Client(server.ws) as first:
        await until(first, lambda state: state.loaded)
        with pytest.raises(UnreachableError, match="HTTP 503"):
            async with Client(server.ws, wait_for_server=False) as second:
                await until(second, lambda state: state.loaded)
