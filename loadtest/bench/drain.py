"""`python -m loadtest.bench.drain PORT PATH COUNT`: clients that take what they are sent and do not look at it.

They answer no ping: within 40 s the server ends them.
"""

from __future__ import annotations

import selectors
import socket
import sys

from loadtest.bench.handshake import hello


def main(port: str, path: str, count: str) -> None:
    """Prints a line when all are there, then reads until it is killed."""
    request = hello(int(port), path)
    ready = selectors.DefaultSelector()
    for _ in range(int(count)):
        each = socket.create_connection(("127.0.0.1", int(port)))
        each.sendall(request)
        if b" 101 " not in each.recv(4096).split(b"\r\n", 1)[0]:
            sys.exit(f"{path}: the server does not take so many")
        each.setblocking(False)
        ready.register(each, selectors.EVENT_READ)
    print("there", flush=True)  # noqa: T201
    while True:
        for found, _ in ready.select():
            connection = found.fileobj
            assert isinstance(connection, socket.socket)
            if not connection.recv(1 << 18):
                ready.unregister(connection)


if __name__ == "__main__":
    main(*sys.argv[1:])
