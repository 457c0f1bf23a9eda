"""A body that never comes to its end; what else may be wrong with one is judged beside those who read it."""

from __future__ import annotations

import asyncio
from unittest import mock

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader
from aiohttp.test_utils import make_mocked_request

from kstream.core.errors import InvalidMessageError
from kstream.web.bodies import json_body
from tests.virtual import in_virtual_time


def test_a_body_that_does_not_come_is_waited_for_thirty_seconds() -> None:
    waited: list[float] = []

    async def story() -> None:
        payload = StreamReader(mock.Mock(spec=BaseProtocol), 2**16)
        payload.feed_data(b"{")
        began = asyncio.get_running_loop().time()
        with pytest.raises(InvalidMessageError, match="did not come") as refused:
            await json_body(make_mocked_request("POST", "/api/playback", payload=payload))
        assert refused.value.details == "Send all of it within 30 s"
        waited.append(asyncio.get_running_loop().time() - began)

    in_virtual_time(story())
    assert waited == [30.0]


async def test_a_body_is_a_json_object() -> None:
    payload = StreamReader(mock.Mock(spec=BaseProtocol), 2**16)
    payload.feed_data(b'{"do": 1}')
    payload.feed_eof()
    assert await json_body(make_mocked_request("POST", "/", payload=payload)) == {"do": 1}
