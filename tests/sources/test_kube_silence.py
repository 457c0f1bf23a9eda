"""Servers that fall silent, stall or break off: what is waited for, and for how long."""

from __future__ import annotations

from pathlib import Path

import pytest

from kstream.core.timeline.health import ErrorCode
from tests.scripted import (
    ScriptedServer,
    Stream,
    answer,
    bookmark,
    hang,
    line,
    listed,
    pod,
    until,
)
from tests.sources.recording import recording


async def test_a_silent_watch_is_found_within_70_s_of_its_last_byte(tmp_path: Path) -> None:
    """LISTWATCH 9."""
    server = ScriptedServer()
    watch = Stream()
    server.on("watch pods", watch, Stream())
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
        await until(watch.opened.is_set)
        watch.send(bookmark("50"))
        await until(lambda: record.versions.get("pods") == "50")
        await record.clock.advance(69)
        assert len(server.asked("watch pods")) == 1
        await record.clock.advance(2)
        await until(lambda: len(server.asked("watch pods")) == 2)
        await record.synced()
    assert record.said() == ["Synced"]
    assert server.asked("watch pods")[1]["resourceVersion"] == "50"


async def test_a_slow_consumer_is_not_taken_for_a_silent_server(tmp_path: Path) -> None:
    """LISTWATCH 9: the socket is timed, not the consumer."""
    server = ScriptedServer()
    watch = Stream()
    server.on("watch pods", watch)
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
        await until(watch.opened.is_set)
        watch.send(bookmark("50"))
        await until(lambda: record.versions.get("pods") == "50")
        record.paused.clear()
        for second in range(90):
            watch.send(line("ADDED", pod(f"p{second}", str(51 + second))))
            await record.clock.advance(1)
            await until(lambda: True)
        record.paused.set()
        await until(lambda: len(record.pods) == 90)
        assert len(server.asked("watch pods")) == 1
    assert record.said() == ["Synced"]


async def test_a_server_that_accepts_and_says_nothing_is_given_30_s_for_a_watch_and_60_for_a_page(
    tmp_path: Path,
) -> None:
    server = ScriptedServer()
    server.on("list nodes", hang())
    server.on("watch pods", hang())
    async with server.running(), recording(server, tmp_path) as record:
        await until(lambda: "watch pods" in server.requests and "list nodes" in server.requests)
        await record.clock.advance(29)
        assert len(server.asked("watch pods")) == 1
        await record.clock.advance(4)
        await until(lambda: len(server.asked("watch pods")) == 2)
        assert len(server.asked("list nodes")) == 1
        await record.clock.advance(30)
        await until(lambda: len(server.asked("list nodes")) == 2)
        await record.synced()
    assert record.health.faults == {}


async def test_a_cut_in_the_middle_of_a_line_loses_and_repeats_nothing(tmp_path: Path) -> None:
    server = ScriptedServer()
    watch, again = Stream(), Stream()
    server.on("watch pods", watch, again)
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
        await until(watch.opened.is_set)
        await record.clock.advance(5)
        watch.send(line("ADDED", pod("a", "5")), line("ADDED", pod("b", "6"))[:40])
        await until(lambda: record.pods == ["a"])
        watch.cut()
        await until(again.opened.is_set)
        again.send(line("ADDED", pod("b", "6")))
        await until(lambda: record.pods == ["a", "b"])
    assert server.asked("watch pods")[1]["resourceVersion"] == "5"
    assert record.events == ["ADDED a", "ADDED b"]


async def test_retry_after_is_honoured_in_plain_text_refusals(tmp_path: Path) -> None:
    """LISTWATCH 10."""
    server = ScriptedServer()
    server.on("list pods", answer(b"Too many requests", status=429, headers={"Retry-After": "7"}))
    async with server.running(), recording(server, tmp_path) as record:
        await until(lambda: "list pods" in server.requests)
        await until(lambda: any(stream.state == "waiting" for stream in record.source.streams))
        await record.clock.advance(6.9)
        assert len(server.asked("list pods")) == 1
        await record.clock.advance(0.2)
        await until(lambda: len(server.asked("list pods")) == 2)
        await record.synced()
    assert record.faults(ErrorCode.CONNECTION_FAILED) == record.faults(ErrorCode.CLUSTER_UNREACHABLE) == []


async def test_an_etcd_restore_is_found_by_the_silence_that_follows(tmp_path: Path) -> None:
    """The versions went back: a watch from the future says nothing for ever, and the list does."""
    server = ScriptedServer()
    watch, silent = Stream(), Stream()
    server.on("list pods", listed([pod("a", "900"), pod("b", "901")], "1000"), listed([pod("a", "7")], "8"))
    server.on("watch pods", watch, silent)
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
        await until(watch.opened.is_set)
        watch.send(bookmark("1001"))
        await until(lambda: record.versions["pods"] == "1001")
        watch.end()
        await record.clock.advance(1)
        await until(silent.opened.is_set)
        await record.clock.advance(71)
        await until(lambda: record.pods == ["a"])
        await until(lambda: len(server.asked("watch pods")) == 3)
    assert server.asked("watch pods")[2]["resourceVersion"] == "8"


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
async def test_a_clock_that_is_set_makes_no_list_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    server = ScriptedServer()
    going = Stream()
    server.on("list nodes", going)
    server.on("list pods", listed([pod("a")], "12"))
    async with server.running(), recording(server, tmp_path) as record:
        await until(going.opened.is_set)
        await until(lambda: record.pods == ["a"])
        await record.clock.advance(5)
        going.send(b" ")
        heard = record.clock.time()
        await until(lambda: max(each.last_byte for each in record.source.streams) == heard)
        monkeypatch.setattr(record.clock, "time", lambda: record.clock.monotonic() + step)
        await record.clock.advance(8)
        assert not record.health.synced, "heard eight seconds ago"
        await record.clock.advance(4)
        await until(lambda: record.health.synced)


async def test_a_list_that_hangs_withholds_nothing_else_for_longer_than_ten_seconds(tmp_path: Path) -> None:
    """Neither answered nor refused: what is known is shown, as stale, and what is missing is told."""
    server = ScriptedServer()
    hanging = Stream()
    server.on("list nodes", hanging)
    server.on("list pods", listed([pod("a")], "12"))
    async with server.running(), recording(server, tmp_path) as record:
        await until(hanging.opened.is_set)
        await until(lambda: record.pods == ["a"])
        assert not record.health.synced
        await until(lambda: record.health.synced, record.clock, step=0.5)
        assert record.health.stale
        [fault] = record.faults(ErrorCode.CLUSTER_UNREACHABLE)
        assert fault.details == "nothing was heard of the nodes for 10 s"
