"""Workers as real processes: they share a port, follow the log that this process writes, and are replaced."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from kstream.client import Client
from kstream.clock import SystemClock
from kstream.config import ServeSettings
from kstream.core.errors import BindError, InvalidMessageError
from kstream.core.timeline.events import Verb
from kstream.core.timeline.health import Cleared, ClusterInfo, ErrorCode, Fault, Identified, Lost, Synced
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.sqlite import SqliteLog
from kstream.ports import Clock
from kstream.run import Address, Server
from kstream.workers.crew import Crew
from tests.making import START, change, pod_key
from tests.web.serving import connect


def serving(log: SqliteLog, clock: Clock) -> Server:
    return Server(
        mode="live",
        settings=ServeSettings(port=0),
        log=log,
        source=None,
        clock=clock,
        time=clock.time,
        watermark=lambda: (START, log.head),
    )


@asynccontextmanager
async def working(crew: Crew, log: SqliteLog) -> AsyncIterator[Address]:
    stop = asyncio.Event()
    listening: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(crew.run(ready=listening.set_result, stop=stop))
    try:
        yield await listening
    finally:
        stop.set()
        await task
        await log.close()


async def seen(address: Address, head: int, *, stale: bool) -> list[str]:
    """The names of the pods that a new client ends with, at `head` and told that it is (not) stale."""
    async with Client(address.websocket) as client:
        async for _ in client.messages():
            if (client.state.seq or 0) >= head and client.state.stale is stale:
                break
        return sorted(pod["name"] for pod in client.state.pods.values())


async def test_workers_serve_what_this_process_records_and_one_that_dies_is_replaced(tmp_path: Path) -> None:
    clock = SystemClock()
    log = await SqliteLog.open(tmp_path / "log.db")
    crew = Crew(serving(log, clock), count=2, log=log.path)
    await log.append([change(Verb.ADDED, pod_key("a"))])
    crew.report(Identified(ClusterInfo("test", "v1.36.0")), after=0)
    crew.report(Synced(), after=1)
    async with working(crew, log) as address:
        await log.append([change(Verb.ADDED, pod_key("b"))])
        assert await asyncio.gather(*(seen(address, 2, stale=False) for _ in range(6))) == [["a", "b"]] * 6

        before = set(crew.pids)
        os.kill(min(before), signal.SIGKILL)
        crew.report(Lost(), after=2)
        await log.append([change(Verb.DELETED, pod_key("a"))])
        while len(now := set(crew.pids)) != 2 or now == before:  # noqa: ASYNC110 - a process tells nobody
            await asyncio.sleep(0.01)
        assert len(set(crew.pids) - before) == 1
        assert await asyncio.gather(*(seen(address, 3, stale=True) for _ in range(6))) == [["b"]] * 6
    assert crew.pids == []


async def test_a_worker_that_does_not_read_is_ended_and_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SystemClock()
    log = await SqliteLog.open(tmp_path / "log.db")
    crew = Crew(serving(log, clock), count=1, log=log.path)
    crew.report(Synced(), after=0)
    async with working(crew, log) as address:
        (stopped,) = crew.pids
        os.kill(stopped, signal.SIGSTOP)
        said = 0
        while "worker does not read" not in caplog.text:
            crew.report(Fault(ErrorCode.WATCH_ERROR, "words", f"{said} " + "x" * 100_000, "log"), after=0)
            said += 1
            assert said * 100_000 < 8 << 20
            await asyncio.sleep(0)
        while crew.pids in ([], [stopped]):  # noqa: ASYNC110 - a process tells nobody
            await asyncio.sleep(0.01)
        crew.report(Cleared("log"), after=0)
        assert await seen(address, 0, stale=False) == []


async def test_a_fault_without_an_end_ends_no_worker(tmp_path: Path) -> None:
    clock = SystemClock()
    log = await SqliteLog.open(tmp_path / "log.db")

    async def status() -> Mapping[str, Any]:
        return {"name": "x" * 2**22}

    crew = Crew(replace(serving(log, clock), status=status), count=1, log=log.path)
    crew.report(Synced(), after=0)
    crew.report(Fault(ErrorCode.WATCH_ERROR, "words", "\U0001f600" * 2**21, "log", stale=True), after=0)
    async with working(crew, log) as address:
        before = crew.pids
        assert await seen(address, 0, stale=True) == []
        async with aiohttp.ClientSession() as session, session.get(f"{address.page}api/status") as answer:
            assert "name" not in await answer.json(), "what is too long to be told is left out"
        crew.report(Cleared("log"), after=0)
        assert await seen(address, 0, stale=False) == []
        assert crew.pids == before


# Listens, as far as anybody knows, and ends as it is told: in the middle of a line, by nonsense, or before it serves.
STAND_IN = """#!/bin/sh
{before}
echo '{{"host": "127.0.0.1", "port": 1}}'
{then}
"""
SERVES = "exec cat >/dev/null"


@pytest.mark.parametrize(
    "then",
    [
        'printf \'{"ask": 1, "wh\'; kill -9 $$',
        f"echo nonsense; {SERVES}",
        f'echo \'{{"what": "status"}}\'; {SERVES}',
    ],
    ids=["half a line", "nonsense", "a question without a number"],
)
async def test_a_worker_that_ends_in_the_middle_or_says_nonsense_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, then: str
) -> None:
    once = tmp_path / "began"
    stand_in = tmp_path / "python"
    stand_in.write_text(
        STAND_IN.format(before="", then=f"if [ -e {once} ]; then {SERVES}; fi; touch {once}; {then}")
    )
    stand_in.chmod(0o755)
    clock = SystemClock()
    log = await SqliteLog.open(tmp_path / "log.db")
    crew = Crew(serving(log, clock), count=1, log=log.path)
    monkeypatch.setattr("sys.executable", str(stand_in))
    async with working(crew, log):
        while "worker ended" not in caplog.text:  # noqa: ASYNC110 - a process tells nobody
            await asyncio.sleep(0.01)
        while not crew.pids:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert crew.pids == []


async def test_a_worker_asks_the_process_that_records_for_what_only_that_one_knows(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SystemClock()
    log = await SqliteLog.open(tmp_path / "log.db")

    async def status() -> Mapping[str, Any]:
        return {"scenario": "tour"}

    async def control(body: dict[str, Any]) -> Mapping[str, Any]:
        if body["do"] == "break":
            raise ZeroDivisionError("a defect")
        if body["do"] == "nonsense":
            raise InvalidMessageError("There is no such action", "do: nonsense")
        return {"done": body["do"]}

    server = Server(
        mode="simulate",
        settings=ServeSettings(port=0),
        log=log,
        source=None,
        clock=clock,
        time=lambda: START,
        watermark=lambda: None,
        status=status,
        control=control,
    )
    crew = Crew(server, count=2, log=log.path)
    server.recording.progress(7, 2)
    server.recording.commits.add(0.003)
    crew.report(Synced(), after=0)
    async with working(crew, log) as address:
        url = address.page
        async with aiohttp.ClientSession() as session:

            async def do(action: str) -> tuple[int, Any]:
                async with session.post(f"{url}api/sim/do", json={"do": action}) as answer:
                    return answer.status, await answer.json()

            said: Any = {}
            while said.get("recorded") != 7:  # a worker that has just begun may not have heard of it
                async with session.get(f"{url}api/status") as answer:
                    said = await answer.json()
            assert (said["scenario"], said["suppressed"]) == ("tour", 2)
            async with session.get(f"{url}metrics") as answer:
                assert "kstream_commit_seconds_count 1.0" in await answer.text()
            assert await asyncio.gather(*(do("pause") for _ in range(8))) == [(200, {"done": "pause"})] * 8
            refused, error = await do("nonsense")
            assert (refused, error["error"]["details"]) == (400, "do: nonsense")
            assert (await do("break"))[0] == 400
            assert "ZeroDivisionError: a defect" in caplog.text
            async with session.ws_connect(f"{url}ws") as socket:
                assert (await socket.receive_json())["timestamp"] == timestamp(START)


async def test_workers_go_on_when_retention_drops_what_they_have_not_read(tmp_path: Path) -> None:
    clock = SystemClock()
    log = await SqliteLog.open(tmp_path / "log.db")
    crew = Crew(serving(log, clock), count=2, log=log.path)
    await log.append([change(Verb.ADDED, pod_key("a")), change(Verb.ADDED, pod_key("b"))])
    crew.report(Synced(), after=2)
    async with working(crew, log) as address:
        watching = [asyncio.create_task(seen(address, 6003, stale=False)) for _ in range(4)]
        for number in range(60):  # whoever reads 50 ms later finds less than half of it
            await log.append([change(Verb.MODIFIED, pod_key("a"), note=f"{number}-{n}") for n in range(100)])
            await log.trim(log.head - 50)
        await log.append([change(Verb.DELETED, pod_key("b"))])
        await log.trim(log.head + 1)
        assert await asyncio.gather(*watching) == [["a"]] * 4
        assert await asyncio.gather(*(seen(address, 6003, stale=False) for _ in range(4))) == [["a"]] * 4
        async with connect(f"{address.websocket}?epoch={log.epoch}&term={log.terms[-1].id}&seq=1") as ws:
            first = json.loads(await ws.recv())
        # Where it begins is what that worker knows of it: it looks every 50 ms.
        assert first["resumed"] is False
        assert first["reason"].startswith("seq 1 is no longer kept: the log begins at ")


async def measured(http: aiohttp.ClientSession, address: Address, name: str) -> float:
    async with http.get(f"{address.page}metrics", headers={"Connection": "close"}) as answer:
        for line in (await answer.text()).splitlines():
            if line.startswith(f"{name} "):
                return float(line.rpartition(" ")[2])
    raise AssertionError(f"{name} is not measured")


def small(log: SqliteLog, clock: Clock, most: int) -> Server:
    return replace(serving(log, clock), settings=ServeSettings(port=0, max_clients=most))


async def test_whichever_worker_is_asked_says_the_same_of_all_also_of_one_that_died(tmp_path: Path) -> None:
    clock = SystemClock()
    log = await SqliteLog.open(tmp_path / "log.db")
    crew = Crew(small(log, clock, 7), count=3, log=log.path)
    crew.report(Synced(), after=0)
    async with working(crew, log) as address, aiohttp.ClientSession() as http:
        clients = []
        for _ in range(7):
            client = await http.ws_connect(address.websocket)
            await client.receive_json()
            clients.append(client)
        for _ in range(5):
            with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
                await http.ws_connect(address.websocket)
        for _ in range(8):
            assert await measured(http, address, "kstream_clients") == 7
            full = 'kstream_refusals_total{reason="full or not ready"}'
            assert await measured(http, address, full) == 5
        async with http.get(f"{address.page}api/status") as answer:
            assert "clients" in await answer.json()
        os.kill(crew.pids[0], signal.SIGKILL)
        for client in clients:
            await client.close()
        while await measured(http, address, "kstream_clients"):
            pass
        for _ in range(8):
            assert await measured(http, address, full) == 5, "what was counted stays counted"


async def test_a_worker_that_is_told_to_end_says_goodbye_to_its_clients(tmp_path: Path) -> None:
    clock = SystemClock()
    log = await SqliteLog.open(tmp_path / "log.db")
    crew = Crew(serving(log, clock), count=1, log=log.path)
    crew.report(Synced(), after=0)
    async with working(crew, log) as address:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            async with connect(address.websocket) as client:
                await client.recv()
                (worker,) = crew.pids
                os.kill(worker, number)
                async for _ in client:  # until it is closed in order
                    pass
                assert client.close_code == 1001
            while crew.pids in ([], [worker]):  # noqa: ASYNC110 - a process tells nobody
                await asyncio.sleep(0.01)
            await until_one_serves(address)


async def until_one_serves(address: Address) -> None:
    while True:
        try:
            async with connect(address.websocket) as client:
                await client.recv()
                return
        except OSError:
            await asyncio.sleep(0.01)


async def test_a_crew_that_is_stopped_before_it_serves_ends(tmp_path: Path) -> None:
    clock = SystemClock()
    log = await SqliteLog.open(tmp_path / "log.db")
    crew = Crew(serving(log, clock), count=2, log=log.path)
    stop = asyncio.Event()
    heard: list[Address] = []
    running = asyncio.create_task(crew.run(ready=heard.append, stop=stop))
    while not crew.pids:  # noqa: ASYNC110 - a process tells nobody
        await asyncio.sleep(0)
    os.kill(crew.pids[0], signal.SIGTERM)  # as the whole group of processes gets it
    stop.set()
    await running
    assert (heard, crew.pids) == ([], [])
    await log.close()


async def test_a_port_that_is_taken_is_the_error_of_the_crew(tmp_path: Path) -> None:
    clock = SystemClock()
    log = await SqliteLog.open(tmp_path / "log.db")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = ServeSettings(port=taken.getsockname()[1])
        crew = Crew(replace(serving(log, clock), settings=settings), count=2, log=log.path)
        with pytest.raises(BindError):
            await crew.run(ready=lambda _: None, stop=asyncio.Event())
    assert crew.pids == []
    await log.close()


async def test_one_that_dies_while_it_starts_ends_nothing_and_is_started_again(tmp_path: Path) -> None:
    log = await SqliteLog.open(tmp_path / "log.db")
    crew = Crew(serving(log, SystemClock()), count=2, log=log.path)
    await log.append([change(Verb.ADDED, pod_key("a"))])
    crew.report(Synced(), after=1)

    async def another(known: set[int]) -> int:
        while True:
            if begun := set(crew.pids) - known:
                return begun.pop()
            await asyncio.sleep(0.01)

    async with working(crew, log) as address:
        known = set(crew.pids)
        second = await another(known)
        os.kill(second, signal.SIGKILL)
        third = await another(known | {second})
        os.kill(third, signal.SIGKILL)  # before it listens: Python alone takes longer to start
        await another(known | {second, third})
        assert await seen(address, 1, stale=False) == ["a"]
