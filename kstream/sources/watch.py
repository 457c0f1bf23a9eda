"""Driving one reflector: its requests over a socket, its deadlines on the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TypeVar

import aiohttp

from kstream.core.watching.reflection import Failure, Get, Moment, Output, Wait
from kstream.core.watching.reflector import Reflector
from kstream.ports import Clock
from kstream.sources.apiserver import FAILURES, ApiServer, failure_of

T = TypeVar("T")
Deliver = Callable[["Watcher", Output], Awaitable[None]]


class Watcher:
    """Keeps one stream going until it is cancelled."""

    def __init__(self, reflector: Reflector, api: ApiServer, clock: Clock, deliver: Deliver) -> None:
        self.reflector = reflector
        self._api = api
        self._clock = clock
        self._deliver = deliver
        self._woken = asyncio.Event()
        self.serial = 0  # of the credentials that the last request was sent with

    async def run(self) -> None:
        while True:
            step = self.reflector.next_request(self._now())
            if isinstance(step, Wait):
                await self._clock.wait(self._woken, step.seconds)
                self._woken.clear()
                continue
            self.serial = self._api.serial
            if step.watch:
                await self._watch(step)
            else:
                await self._list(step)

    def back(self) -> None:
        """The server answers again."""
        self.reflector.retry.back(self._clock.monotonic())
        self._woken.set()

    def _now(self) -> Moment:
        return now_of(self._clock)

    async def _say(self, output: Output) -> bool:
        """Hand it over, if there is anything; False when the rest of the response is of no interest."""
        if output.events or output.notes or output.version is not None:
            reflector = self.reflector
            reflector.completeness.stopped_reading(self._now())
            await self._deliver(self, output)
            reflector.history.blocked(reflector.completeness.reads_on(self._now()))
        return not output.close and not self.reflector.restarted

    async def _fail(self, failure: Failure, detail: str) -> None:
        self._api.doubt()
        await self._say(self.reflector.receive_failure(failure, detail, self._now()))

    async def _list(self, get: Get) -> None:
        """A page is read whole, then handed over: the consumer's time does not count."""
        reflector = self.reflector
        outputs: list[Output] = []
        try:
            async with self._api.listing:
                outputs = await within(self._clock, get.within, self._page(get))
        except TimeoutError:
            await self._fail(Failure.LATE, f"no answer to {get.path} within {get.within:.0f} s")
        except FAILURES as error:
            await self._fail(*failure_of(error))
        else:
            for output in outputs:
                if not await self._say(output):
                    return
            await self._say(reflector.receive_end(self._now()))

    async def _page(self, get: Get) -> list[Output]:
        reflector = self.reflector
        response = await self._api.get(get.path, get.query)
        try:
            outputs = [reflector.receive_response(response.status, headers_of(response), self._now())]
            async for data in response.content.iter_any():
                outputs += (reflector.receive_data(data, self._now()),)
                if outputs[-1].close:
                    response.close()
                    break
        finally:
            response.release()
        return outputs

    async def _watch(self, get: Get) -> None:
        reflector = self.reflector
        try:
            response = await within(
                self._clock,
                get.within,
                self._api.get(get.path, get.query),
                discard=aiohttp.ClientResponse.close,
            )
        except TimeoutError:
            await self._fail(Failure.LATE, f"no answer to a watch of {get.path} within {get.within:.0f} s")
            return
        except FAILURES as error:
            await self._fail(*failure_of(error))
            return
        try:
            head = reflector.receive_response(response.status, headers_of(response), self._now())
            going = await self._say(head)
            while going:
                patience = reflector.patience
                try:
                    # What has arrived is taken as it is; only waiting needs a timer.
                    data = response.content.read_nowait()
                    if not data:
                        reflector.completeness.caught_up(self._now())
                        data = await within(self._clock, patience, response.content.readany())
                except TimeoutError:
                    await self._fail(Failure.SILENT, f"no word of {get.path} for {patience:.0f} s")
                    return
                except FAILURES as error:
                    await self._fail(*failure_of(error))
                    return
                if data:
                    going = await self._say(reflector.receive_data(data, self._now()))
                elif response.content.at_eof():
                    await self._say(reflector.receive_end(self._now()))
                    return
        finally:
            # Not released into the pool: the rest of a watch would be read by the next request.
            response.close()


async def within(
    clock: Clock,
    seconds: float,
    awaitable: Coroutine[None, None, T],
    *,
    discard: Callable[[T], object] | None = None,
) -> T:
    """Its result; TimeoutError when `seconds` have passed on the clock.

    `discard` gets a result that came too late, or for nobody because of a cancellation.
    """
    task = asyncio.ensure_future(awaitable)
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((task, timer), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            # Nothing is awaited from here on: a cancellation would lose the result.
            return task.result()
    except asyncio.CancelledError:
        await _abandon(task, discard)
        raise
    finally:
        timer.cancel()
    await _abandon(task, discard)
    raise TimeoutError


async def _abandon(task: asyncio.Future[T], discard: Callable[[T], object] | None) -> None:
    task.cancel()
    await asyncio.wait((task,))
    if not task.cancelled() and task.exception() is None and discard is not None:
        discard(task.result())


def now_of(clock: Clock) -> Moment:
    return Moment(clock.monotonic(), clock.time())


def headers_of(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}
