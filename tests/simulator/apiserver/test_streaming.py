"""A watch whose client goes: there is nobody to tell, and nothing is said."""

from __future__ import annotations

from typing import Any, cast
from unittest import mock

from aiohttp import ClientConnectionResetError
from aiohttp.abc import AbstractStreamWriter
from aiohttp.test_utils import make_mocked_request

from kstream.clock import VirtualClock
from simulator.apiserver.store import Store
from simulator.apiserver.streamfaults import StreamFaults
from simulator.apiserver.streaming import stream
from simulator.apiserver.watching import Watch


async def test_a_client_that_is_gone_before_the_first_line_is_no_error() -> None:
    writer = mock.create_autospec(AbstractStreamWriter, instance=True)
    writer.write_headers.side_effect = ClientConnectionResetError("Cannot write to closing transport")
    request = make_mocked_request("GET", "/api/v1/pods?watch=1", writer=writer)
    store = Store()
    watch = cast(Watch, mock.create_autospec(Watch, instance=True))
    clock: Any = VirtualClock()
    response = await stream(request, watch, store=store, clock=clock, faults=StreamFaults([]))
    assert response.status == 200
    assert writer.write_headers.call_count == 1
