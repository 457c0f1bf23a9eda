from __future__ import annotations

import asyncio

import pytest

from kstream.web.ws import LossWatch


class Behind(asyncio.Protocol):
    """What aiohttp's protocol is to LossWatch: it stands behind it from the first byte on."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.descriptor_at_loss = 0
        self.greeted = asyncio.Event()
        self.over = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_protocol(LossWatch(transport, self, self.lost))

    def lost(self) -> None:
        self.heard.append("lost")
        self.descriptor_at_loss = self.transport.get_extra_info("socket").fileno()

    def data_received(self, data: bytes) -> None:
        self.heard.append(data.decode())
        self.greeted.set()

    def eof_received(self) -> bool | None:
        self.heard.append("eof")
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        self.heard.append("behind")
        self.over.set()


@pytest.mark.parametrize("abort", [False, True])
async def test_a_loss_is_told_while_the_descriptor_is_still_ours(abort: bool) -> None:
    behind = Behind()
    server = await asyncio.get_running_loop().create_server(lambda: behind, "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello")
        await behind.greeted.wait()
        if abort:
            behind.transport.abort()
        else:
            writer.close()
            await writer.wait_closed()
        await behind.over.wait()
        if abort:
            writer.close()
            await writer.wait_closed()
    assert behind.heard == (["hello", "lost", "behind"] if abort else ["hello", "eof", "lost", "behind"])
    assert behind.descriptor_at_loss > 0, "after this it may be another connection's"
