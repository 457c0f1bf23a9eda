"""One of the processes that serve from the same log, behind the same port (`kstream serve --workers`).

Started by a Crew, with which it speaks JSON lines: on stdin first its orders, then what the source reports; on stdout
one line when it listens. It ends when stdin does, so it never outlives the process that records.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator
from typing import Any

from kstream.clock import SystemClock
from kstream.config import ServeSettings
from kstream.core.errors import KstreamError
from kstream.core.health import Report, report_of_json
from kstream.logs.sqlite import SqliteLog
from kstream.run import Address, Server, run

_LINE = 2**20  # bytes


async def serve(orders: dict[str, Any], lines: asyncio.StreamReader) -> None:
    """Serve as ordered until `lines` end."""
    clock = SystemClock()
    log = await SqliteLog.open_read_only(orders["log"], clock=clock)
    stop = asyncio.Event()

    async def reports() -> AsyncGenerator[tuple[Report, int], None]:
        while line := await lines.readline():
            said = json.loads(line)
            yield report_of_json(said["report"]), said["after"]
        stop.set()

    server = Server(
        mode=orders["mode"],
        settings=ServeSettings.model_validate(orders["settings"]),
        log=log,
        source=None,
        clock=clock,
        time=clock.time,
        reports=reports(),
        share_port=True,
    )
    try:
        await run(server, ready=_listening, stop=stop)
    finally:
        await log.close()


def _listening(address: Address) -> None:
    sys.stdout.write(json.dumps({"host": address.host, "port": address.port}) + "\n")
    sys.stdout.flush()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    # Ctrl-C reaches the whole group of processes: the crew decides when we stop.
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    lines = asyncio.StreamReader(limit=_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    await serve(json.loads(await lines.readline()), lines)


def main() -> None:
    """Exit code as the error says; the message goes to stderr."""
    try:
        asyncio.run(_main())
    except KstreamError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
