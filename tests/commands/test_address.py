"""One variable, KSTREAM_URL, for every command: the page and the WebSocket of a server are one server."""

from __future__ import annotations

import pytest

from kstream.commands.address import page_url, socket_url
from kstream.core.errors import ConfigError


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:3001",
        "http://127.0.0.1:3001/",
        "http://127.0.0.1:3001/ws",
        "http://127.0.0.1:3001/ws/",
        "ws://127.0.0.1:3001",
        "ws://127.0.0.1:3001/",
        "ws://127.0.0.1:3001/ws",
        "WS://127.0.0.1:3001/ws",
        "127.0.0.1:3001",
        "127.0.0.1:3001/ws",
    ],
)
def test_every_form_of_an_address_is_the_same_server(text: str) -> None:
    assert str(page_url(text)).rstrip("/") == "http://127.0.0.1:3001"
    assert socket_url(text) == "ws://127.0.0.1:3001/ws"


@pytest.mark.parametrize(
    "text", ["https://k.example/team/", "wss://k.example/team/ws", "wss://k.example/team"]
)
def test_a_server_below_a_path_of_a_proxy_stays_there(text: str) -> None:
    assert str(page_url(text)) == "https://k.example/team"
    assert socket_url(text) == "wss://k.example/team/ws"


def test_a_query_is_for_the_socket_only() -> None:
    assert socket_url("http://localhost:3001/?namespaces=shop") == "ws://localhost:3001/ws?namespaces=shop"
    assert page_url("ws://localhost:3001/ws?at=-5m").query_string == ""


def test_an_ipv6_address_and_a_name_are_taken_as_they_are() -> None:
    assert socket_url("http://[::1]:3001") == "ws://[::1]:3001/ws"
    assert socket_url("https://k.example") == "wss://k.example/ws"


@pytest.mark.parametrize(
    "text",
    ["", "ftp://nowhere", "http://", "ws:///ws", "http://a:99999", "http://[::1", "http://h:0", "http://[]@"],
)
def test_what_is_no_address_is_refused_and_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ConfigError, match=r"not the address of a server: write http://127.0.0.1:3001"):
        page_url(text)
    with pytest.raises(ConfigError, match="not the address of a server"):
        socket_url(text)
