"""How much an HTTP read of history holds, for how long, and whom it stops."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from kstream.core.delivery.records import Record
from kstream.core.errors import LogFormatError
from kstream.core.timeline.blocks import Block
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.state import ClusterState
from kstream.logs.memory import MemoryLog
from kstream.web.sending import ENOUGH
from tests.making import change, pod_key
from tests.web.stuck import Stuck
from tests.web.test_reads import NODE, POD, a_log, ask, reads_of


@pytest.mark.parametrize("path", ["/api/events", f"/api/objects/{POD.uid}/history"])
async def test_an_answer_ends_at_some_megabytes_and_says_how_to_go_on(path: str) -> None:
    log = MemoryLog(epoch="e")
    await log.append([change(Verb.ADDED, POD)])
    await log.append([change(Verb.MODIFIED, POD, note=str(number) * 2**20) for number in range(9)])
    reads, cursor, seqs = reads_of(log), "", list[int]()
    while True:
        _, page = await ask(reads, f"{path}?limit=10000&cursor={cursor}")
        found = page.get("data", page.get("versions"))
        assert len(json.dumps(page)) < ENOUGH + 3 * 2**20
        seqs += [each["seq"] for each in found]
        if (cursor := page["cursor"]) is None:
            break
        assert len(seqs) < 10
    assert seqs == list(range(1, 11))


class Held(Stuck):
    """The way to a client that reads nothing until it is let."""

    def __init__(self) -> None:
        self.reads = asyncio.Event()
        self.waiting = asyncio.Semaphore(0)
        self.count = 0

    async def write(self, chunk: Any) -> None:
        await self.write_eof()

    async def write_eof(self, chunk: bytes = b"") -> None:
        self.waiting.release()
        self.count += 1
        await self.reads.wait()


@pytest.mark.parametrize("path", ["/api/events", "/api/diff", f"/api/objects/{POD.uid}/history"])
async def test_an_answer_holds_its_turn_until_it_is_read(path: str) -> None:
    """However many ask and do not read, two answers are held in memory."""
    reads, writer = reads_of(await a_log()), Held()
    asking = [asyncio.create_task(ask(reads, path, writer=writer)) for _ in range(20)]
    for _ in range(2):
        await writer.waiting.acquire()
    for _ in range(100):
        await asyncio.sleep(0)
    assert writer.count == 2
    writer.reads.set()
    assert [status for status, _ in await asyncio.gather(*asking)] == [200] * 20


async def test_what_is_made_of_events_is_made_beside_the_event_loop_and_piece_by_piece(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = MemoryLog(epoch="e")
    await log.append([change(Verb.ADDED, pod_key(f"p{number}")) for number in range(300)])
    await log.append([change(Verb.MODIFIED, pod_key("p0"), note=str(number)) for number in range(300)])
    reads, made = reads_of(log), list[tuple[int, int]]()
    encode, message = json.dumps, Record.message

    def counted(value: Any, **options: Any) -> str:
        made.append((threading.get_ident(), len(text := encode(value, **options))))
        return text

    def counted_message(record: Record) -> bytes:
        told: bytes = message.fget(record)  # type: ignore[attr-defined]
        made.append((threading.get_ident(), len(told)))
        return told

    monkeypatch.setattr("kstream.web.reads.json.dumps", counted)
    monkeypatch.setattr(Record, "message", property(counted_message))
    for path in ("/api/events", "/api/diff", f"/api/objects/{pod_key('p0').uid}/history"):
        made.clear()
        await ask(reads, path)
        assert len(made) > 300
        assert max(size for _, size in made) < 1000
        assert len([size for thread, size in made if thread == threading.get_ident()]) <= 1, "its head"


class Trimming(MemoryLog):
    """Retention drops the beginning while somebody is about to read it."""

    async def state_at(self, seq: int) -> ClusterState:
        if self.oldest == 1:
            await self.trim(3)
        return await super().state_at(seq)

    async def blocks(self, after: int, upto: int, *, whole: bool = True) -> Sequence[Block]:
        if self.oldest == 1:
            await self.trim(3)
        return await super().blocks(after, upto, whole=whole)


@pytest.mark.parametrize(
    "path", ["/api/events?kinds=pods&labels=app", "/api/diff", f"/api/objects/{POD.uid}/history"]
)
async def test_what_is_left_out_is_what_is_kept_also_while_retention_drops_some_of_it(path: str) -> None:
    log = Trimming(epoch="e")
    await log.append([change(Verb.ADDED, NODE), change(Verb.ADDED, POD)])
    await log.append([change(Verb.MODIFIED, POD, note=str(number)) for number in range(4)])
    status, told = await ask(reads_of(log), path)
    assert (status, log.oldest) == (200, 3)
    status, told = await ask(reads_of(log), "/api/diff?from=seq:1")
    assert (status, told["error"]["code"]) == (410, "NO_LONGER_KEPT")


class Damaged(MemoryLog):
    async def read(self, after: int, upto: int) -> Sequence[Event]:
        raise LogFormatError("event 2 is damaged")


@pytest.mark.parametrize("path", ["/api/events", "/api/diff", f"/api/objects/{POD.uid}/history"])
async def test_a_log_that_cannot_be_read_is_said_to_be_so(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    log = Damaged(epoch="e")
    await log.append([change(Verb.ADDED, NODE), change(Verb.ADDED, POD)])
    status, told = await ask(reads_of(log), path)
    assert (status, told["error"]["code"], told["error"]["details"]) == (
        503,
        "LOG_UNREADABLE",
        "event 2 is damaged",
    )
    assert [line.getMessage() for line in caplog.records] == ["log not read"]
