"""The tools as a client of the official SDK has them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the extra `mcp` is not installed")

from mcp import Client
from mcp.server.mcpserver import MCPServer

from kstream.agents.answers import Answers
from kstream.agents.server import LOOPBACK, make_server, security
from kstream.core.errors import InvalidMessageError, LogError
from tests.agents.test_answers import Played
from tests.core.insight.making import History


def played() -> Played:
    history = History()
    history.pod("a")
    history.pod("a", "Error")
    return Played(history)


async def served(reads: Played) -> MCPServer[Any]:
    return await asyncio.to_thread(make_server, Answers(reads))


def text(result: Any) -> str:
    (content,) = result.content
    return str(content.text)


async def test_each_tool_answers_and_says_that_it_only_reads() -> None:
    async with Client(await served(played())) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"summary", "what_changed", "history", "when", "state_at"}
        for tool in tools.values():
            assert tool.description
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint
        assert {"from", "to", "max_tokens"} == set(tools["what_changed"].input_schema["properties"])
        for name, given in (
            ("summary", {"at": "seq:2"}),
            ("what_changed", {"from": "seq:1", "to": "seq:2"}),
            ("history", {"object": "pod/shop/a", "from": "seq:0"}),
            ("when", {"where": 'pod.status == "Error"', "from": "seq:0"}),
            ("state_at", {"kind": "pod"}),
        ):
            result = await client.call_tool(name, given)
            assert not result.is_error, text(result)
            assert json.loads(text(result))
            assert result.structured_content is None, "nothing is told twice"


async def test_the_state_of_now_is_a_resource() -> None:
    async with Client(await served(played())) as client:
        assert [str(each.uri) for each in (await client.list_resources()).resources] == ["kstream://live"]
        (content,) = (await client.read_resource("kstream://live")).contents
        assert json.loads(content.text)["counts"]["totalPods"] == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LogError("it is gone"), "it is gone"),
        (InvalidMessageError("No point", "at: 'x'"), "No point: at: 'x'"),
    ],
)
async def test_what_is_wrong_is_told_to_the_model(error: Exception, said: str) -> None:
    reads = played()

    async def fail(*_: Any, **__: Any) -> Any:
        raise error

    reads.moment = fail  # type: ignore[method-assign]
    async with Client(await served(reads)) as client:
        result = await client.call_tool("summary", {})
        assert result.is_error
        assert said in text(result)
        for name, given in (("summary", {"when": "now"}), ("what_changed", {"from_": "seq:1"})):
            unknown = await client.call_tool(name, given)
            assert unknown.is_error
            assert "Extra inputs are not permitted" in text(unknown)
        too_many = await client.call_tool("summary", {"max_tokens": 10**9})
        assert too_many.is_error


def test_only_this_machine_is_let_in() -> None:
    settings = security(3002)
    assert settings.enable_dns_rebinding_protection
    assert settings.allowed_hosts == [f"{name}:3002" for name in LOOPBACK]
    assert settings.allowed_origins == [f"http://{name}:3002" for name in LOOPBACK]
