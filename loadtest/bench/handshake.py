"""What a client that is only bytes says first (RFC 6455, 4.1)."""

from __future__ import annotations

import base64


def hello(port: int, path: str = "/ws") -> bytes:
    """The request for a WebSocket at `path` of the server on `port`, without extensions."""
    key = base64.b64encode(bytes(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    ).encode()
