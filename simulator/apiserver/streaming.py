"""Sending a watch: lines out when they are due, through whatever a fault script does to them."""

from __future__ import annotations

import asyncio

from aiohttp import web

from kstream.ports import Clock
from simulator.apiserver.store import Store
from simulator.apiserver.streamfaults import End, Pause, Send, StreamFaults
from simulator.apiserver.watching import Watch


async def stream(
    request: web.Request, watch: Watch, *, store: Store, clock: Clock, faults: StreamFaults
) -> web.StreamResponse:
    """Answer a watch until it ends, the client goes, or a fault ends it."""
    response = web.StreamResponse(
        headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"}
    )
    response.enable_chunked_encoding()
    # Something to do: a write, or a deadline that has passed.
    wake = asyncio.Event()
    forget = store.listen(wake.set)
    alarm: asyncio.Task[None] | None = None
    try:
        await response.prepare(
            request
        )  # the client may have gone while the request was read, or held up by a fault
        if await _send(request, response, faults.open(), clock):
            return response
        while True:
            wake.clear()
            while lines := watch.take(clock.monotonic()):
                if await _send(request, response, faults.lines(lines), clock):
                    return response
            if watch.done:
                break
            if alarm is None or alarm.done():
                alarm = asyncio.create_task(_ring(clock, watch.deadline, wake))
            await wake.wait()
        await response.write_eof()
    except ConnectionError:
        pass  # the client has gone; there is nobody to tell
    finally:
        forget()
        if alarm is not None:
            alarm.cancel()
            await asyncio.gather(alarm, return_exceptions=True)
    return response


async def _ring(clock: Clock, deadline: float, wake: asyncio.Event) -> None:
    await clock.sleep(max(0.0, deadline - clock.monotonic()))
    wake.set()


async def _send(
    request: web.Request, response: web.StreamResponse, steps: list[Send | Pause | End], clock: Clock
) -> bool:
    """Do what the faults leave of some lines. True when the stream is over."""
    for step in steps:
        match step:
            case Send(data):
                await response.write(data)
            case Pause(seconds):
                if seconds is None:
                    await asyncio.Event().wait()  # for ever: until the client goes, which cancels us
                else:
                    await clock.sleep(seconds)
            case End(clean):
                if clean:
                    await response.write_eof()
                elif request.transport is not None:
                    request.transport.abort()
                return True
    return False
