"""What a worker makes of what the process that records tells it; test_crew.py has both as real processes."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from kstream.clock import VirtualClock
from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.health import Report
from kstream.processlog.lines import fields_of
from kstream.web.measures import Measures
from kstream.workers.worker import Foreman


async def test_the_time_of_the_timeline_goes_on_as_it_did_and_not_for_long_without_word_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "kstream")
    clock = VirtualClock()
    lines = asyncio.StreamReader()
    foreman = Foreman(lines, clock, say=bool, time=1000.0)
    heard: list[tuple[Report, int]] = []

    async def listen() -> None:
        heard.extend([said async for said in foreman.reports()])

    listening = asyncio.create_task(listen())

    async def hear(*said: object) -> None:
        lines.feed_data(b"".join(json.dumps(line).encode() + b"\n" for line in said))
        await asyncio.sleep(0)

    assert foreman.time() == 1000.0
    await clock.advance(0.1)
    await hear({"recording": [1, 0, [0] * 13, 0.0], "complete": None, "time": 1001.0})
    await clock.advance(0.2)
    assert foreman.time() == pytest.approx(1003.0), "ten times as fast as the clock"
    await clock.advance(60)
    assert foreman.time() == pytest.approx(1006.0)
    await hear(
        {"recording": [7, 2, [0] * 12 + [3], 30.5], "complete": [999.5, 3], "time": 1001.0},
        {"report": ["Lost"], "after": 3},
    )
    await clock.advance(60)
    assert foreman.time() == pytest.approx(1001.0), "it stands still"
    assert not foreman.gone.is_set()
    lines.feed_eof()
    await listening
    assert foreman.gone.is_set()
    told = [(type(report).__name__, getattr(report, "subject", ""), after) for report, after in heard]
    silent, back = ("Fault", "recorder", 0), ("Cleared", "recorder", 0)
    assert told == [silent, back, ("Lost", "", 3), silent], "no word for ten seconds, twice"
    logged = [(record.getMessage(), fields_of(record)["fault"]) for record in caplog.records]
    assert logged == [("fault", "recorder"), ("fault over", "recorder"), ("fault", "recorder")]
    assert fields_of(caplog.records[1])["seconds"] == 60.2
    assert (foreman.recording.events, foreman.recording.suppressed) == (7, 2)
    assert (foreman.recording.commits.counts[-1], foreman.recording.commits.total) == (3, 30.5)


def into(told: list[Any]) -> Callable[[object], bool]:
    def say(said: object) -> bool:
        told.append(said)
        return True

    return say


async def _own() -> Measures:
    return {"kstream_stale": 1, "kstream_faults": 1}


async def test_a_process_that_records_and_says_nothing_holds_up_nobody_who_asks_how_it_is() -> None:
    clock = VirtualClock()
    foreman = Foreman(asyncio.StreamReader(), clock, say=bool, time=None)
    listening = asyncio.create_task(anext(foreman.reports()))
    asking = asyncio.create_task(foreman.status())
    await clock.advance(1.9)
    assert not asking.done()
    await clock.advance(0.2)
    assert await asking == {}
    await clock.advance(10)
    assert (await listening)[0].subject == "recorder"  # type: ignore[union-attr]
    assert await foreman.status() == {}, "it is known to be silent: nobody waits for it any more"
    foreman.attach(_own)
    assert await foreman.measures() == await _own()


async def test_what_all_measure_is_the_last_known_while_the_process_that_records_is_silent() -> None:
    clock = VirtualClock()
    lines = asyncio.StreamReader()
    told: list[Any] = []
    foreman = Foreman(lines, clock, say=into(told), time=None)
    own = {"kstream_clients": 2, "kstream_stale": 1, "kstream_faults": 3}

    async def measure() -> Measures:
        return own

    foreman.attach(measure)
    listening = asyncio.create_task(anext(foreman.reports()))
    asking = asyncio.create_task(foreman.measures())
    await clock.advance(6)
    assert await asking == own, "nothing else is known yet"
    asking = asyncio.create_task(foreman.measures())
    await asyncio.sleep(0)
    whole = {"kstream_clients": 9, "kstream_stale": 0, "kstream_faults": 0}
    lines.feed_data(json.dumps({"measure": 5}).encode() + b"\n")
    lines.feed_data(json.dumps({"answer": 0, "value": whole}).encode() + b"\n")
    assert await asking == whole
    asking = asyncio.create_task(foreman.measures())
    await clock.advance(6)
    assert await asking == whole | {"kstream_stale": 1, "kstream_faults": 3}
    assert {"measured": 5, "value": own} in told
    assert [said["ask"] for said in told if "ask" in said] == [0, 1]
    listening.cancel()


async def test_what_is_not_answered_is_asked_once_by_however_many_who_want_to_know() -> None:
    clock = VirtualClock()
    lines = asyncio.StreamReader()
    told: list[Any] = []
    foreman = Foreman(lines, clock, say=into(told), time=None)
    foreman.attach(_own)
    listening = asyncio.create_task(anext(foreman.reports()))
    for _ in range(3):
        asking = [asyncio.create_task(foreman.status()) for _ in range(100)]
        measuring = [asyncio.create_task(foreman.measures()) for _ in range(100)]
        await clock.advance(3)
        assert await asyncio.gather(*asking) == [{}] * 100
        assert await asyncio.gather(*measuring) == [await _own()] * 100
    assert [said["what"] for said in told] == ["status", "measures"]
    lines.feed_data(b'{"answer": 0, "value": {"late": 1}}\n')
    await clock.advance(0)
    asking = [asyncio.create_task(foreman.status()) for _ in range(2)]
    await clock.advance(0)
    lines.feed_data(b'{"answer": 2, "value": {"seq": 7}}\n')
    assert await asyncio.gather(*asking) == [{"seq": 7}] * 2
    listening.cancel()


async def test_a_question_that_cannot_be_put_is_refused_at_once() -> None:
    foreman = Foreman(asyncio.StreamReader(), VirtualClock(), say=lambda _: False, time=None)
    foreman.attach(_own)
    assert await foreman.status() == {}
    assert await foreman.measures() == await _own()
    with pytest.raises(InvalidMessageError, match="cannot be asked"):
        await foreman.control({"do": "pause"})
