"""The client of the fan-out benchmarks: many WebSocket connections read by raw `recv_into`, in a process of its own.

It counts bytes, and on the first connection of each server frames: every client of a server gets the same messages,
so all bytes divided by those of one connection is how many clients were served. Orders come on stdin, one JSON
object a line: {"connect": [host, port, path], "count": N, "deflate": bool} and {"wait": server, "frames": F}.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import threading
import time
from typing import NamedTuple

_CHUNK = 1 << 20
_HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extensions}\r\n"
)


class Sample:
    """The frames of one connection, counted by walking their headers."""

    def __init__(self) -> None:
        self.frames = 0
        self.bytes = 0
        self._rest = b""

    def feed(self, data: bytes) -> None:
        self.bytes += len(data)
        data = self._rest + data
        at, end = 0, len(data)
        while end - at >= 2:
            size, head = data[at + 1] & 127, 2
            if size == 126:
                if end - at < 4:
                    break
                (size,), head = struct.unpack_from("!H", data, at + 2), 4
            elif size == 127:
                if end - at < 10:
                    break
                (size,), head = struct.unpack_from("!Q", data, at + 2), 10
            if end - at < head + size:
                break
            self.frames += (data[at] & 15) == 1
            at += head + size
        self._rest = data[at:]


class Totals(NamedTuple):
    sample: Sample
    bytes: list[int]  # of all connections together, one element


class Reader:
    """All connections of all servers, read by one thread."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._sockets: dict[int, tuple[socket.socket, Totals, bool]] = {}
        self._servers: list[Totals] = []
        threading.Thread(target=self._read, daemon=True).start()

    def connect(self, host: str, port: int, path: str, count: int, *, deflate: bool) -> int:
        extensions = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if deflate else ""
        request = _HANDSHAKE.format(path=path, host=host, port=port, extensions=extensions).encode()
        totals = Totals(Sample(), [0])
        self._servers.append(totals)
        for number in range(count):
            sock = socket.create_connection((host, port))
            sock.sendall(request)
            answer = b""
            while b"\r\n\r\n" not in answer:
                more = sock.recv(65536)
                if not more:
                    raise ConnectionError(f"{host}:{port} refused: {answer!r}")
                answer += more
            head, _, rest = answer.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(f"{host}:{port} refused: {head!r}")
            if deflate and b"permessage-deflate" not in head:
                raise ConnectionError(f"{host}:{port} does not compress")
            totals.bytes[0] += len(rest)
            if not number:
                totals.sample.feed(rest)
            sock.setblocking(False)
            self._sockets[sock.fileno()] = sock, totals, not number
            self._poll.register(sock.fileno(), select.EPOLLIN)
        return len(self._servers) - 1

    def wait(self, server: int, frames: int, clients: int, timeout: float = 60.0) -> dict[str, int]:
        """Wait until the first client has `frames` text frames and all have as many bytes as it."""
        totals = self._servers[server]
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if totals.sample.frames >= frames and totals.bytes[0] >= clients * totals.sample.bytes:
                break
            time.sleep(0.005)
        return {"frames": totals.sample.frames, "bytes": totals.bytes[0], "sample": totals.sample.bytes}

    def _read(self) -> None:
        buffer = bytearray(_CHUNK)
        view = memoryview(buffer)
        sockets = self._sockets
        while True:
            for number, _ in self._poll.poll(0.5):
                sock, totals, sampled = sockets[number]
                try:
                    got = sock.recv_into(buffer)
                except BlockingIOError:
                    continue
                if not got:
                    self._poll.unregister(number)
                    continue
                totals.bytes[0] += got
                if sampled:
                    totals.sample.feed(bytes(view[:got]))


def main() -> None:
    reader = Reader()
    for line in sys.stdin:
        order = json.loads(line)
        if "connect" in order:
            host, port, path = order["connect"]
            answer: object = reader.connect(host, port, path, order["count"], deflate=order["deflate"])
        else:
            answer = reader.wait(order["wait"], order["frames"], order["clients"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
