"""Where in a log a moment is: by halves, within what is kept, and while the beginning is dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from kstream.core.errors import InvalidMessageError, LogError, LogTrimmedError
from kstream.core.timeline.events import Verb
from kstream.logs.memory import MemoryLog
from kstream.logs.places import check_kept, known_place, moment_of, past, place, seq_at, settled, time_of
from kstream.logs.sqlite import SqliteLog
from tests.making import START, change, pod_key

TIMES = (0, 10, 10, 20, 30, 40, 50)  # of the events 1 to 7, in seconds after START
SPAN = (START, START + 50)
OTHERWISE = (99, 99.0)


async def recorded(times: tuple[int, ...] = TIMES, *, before: int = 1) -> MemoryLog:
    log = MemoryLog()
    await log.append(
        [change(Verb.ADDED, pod_key(f"p{n}"), time=START + time) for n, time in enumerate(times)]
    )
    await log.trim(before)
    return log


@pytest.mark.parametrize(
    ("after", "seq"),
    [
        (-1, 0),
        (0, 1),
        (9, 1),
        (10, 3),
        (19, 3),
        (20, 4),
        (29, 4),
        (30, 5),
        (40, 6),
        (49, 6),
        (50, 7),
        (99, 7),
    ],
)
async def test_the_last_event_at_or_before_a_moment_is_found(after: float, seq: int) -> None:
    assert await seq_at(await recorded(), START + after) == seq


@pytest.mark.parametrize(("after", "seq"), [(0, 3), (19, 3), (20, 4), (50, 7)])
async def test_before_what_is_kept_there_is_only_the_state_that_it_begins_with(
    after: float, seq: int
) -> None:
    assert await seq_at(await recorded(before=4), START + after) == seq


@pytest.mark.parametrize(
    ("before", "seq", "after"),
    [(1, 0, 0), (1, 1, 0), (1, 4, 20), (1, 7, 50), (4, 0, 20), (4, 3, 20), (4, 5, 30)],
)
async def test_an_event_has_its_time_and_one_that_is_gone_that_of_the_first(
    before: int, seq: int, after: float
) -> None:
    assert await time_of(await recorded(before=before), seq) == START + after


@pytest.mark.parametrize("seq", [0, 7, 8])
async def test_where_no_event_is_kept_the_time_is_that_of_the_state(seq: int) -> None:
    assert await time_of(await recorded(before=8), seq) == START + 50
    assert await time_of(MemoryLog(), seq) == 0.0


@pytest.mark.parametrize(
    ("point", "found"),
    [
        (None, OTHERWISE),
        ("seq:4", (4, START + 20)),
        ("seq:0", (2, START + 10)),
        ("seq:1", (2, START + 10)),
        ("seq:2", (2, START + 10)),
        ("seq:7", (7, START + 50)),
        ("seq:8", (7, START + 50)),
        ("2025-01-24T10:00:25Z", (4, START + 25)),
        ("+25s", (4, START + 25)),
        ("-15s", (5, START + 35)),
        ("  -15s", (5, START + 35)),
        ("  +25s", (4, START + 25)),
        ("+1h", (7, START + 3600)),
    ],
)
async def test_a_point_has_a_place_and_a_time(point: str | None, found: tuple[int, float]) -> None:
    log = await recorded(before=3)
    assert await place(log, point, SPAN, field="from", otherwise=OTHERWISE) == found


@pytest.mark.parametrize("point", ["yesterday", "", "-"])
async def test_what_is_no_point_is_refused_under_the_name_of_its_field(point: str) -> None:
    with pytest.raises(InvalidMessageError) as refused:
        await place(await recorded(), point, SPAN, field="from", otherwise=OTHERWISE)
    assert refused.value.details.startswith("from: ")


@pytest.mark.parametrize(
    ("point", "is_past"),
    [
        (None, False),
        ("seq:7", False),
        ("seq:8", True),
        (" seq:8 ", True),
        ("+1h", False),
        ("+1s", False),
        ("-63000000000s", False),  # before the year 1, when it counts from 1970
        ("2099-01-01T00:00:00Z", False),
    ],
)
async def test_only_the_number_of_an_event_that_is_not_there_yet_is_past_the_log(
    point: str | None, is_past: bool
) -> None:
    assert past(await recorded(), point) is is_past


async def test_what_is_dropped_meanwhile_is_looked_for_again_until_it_is_found() -> None:
    answers: list[Exception | int] = [LogTrimmedError("gone"), LogTrimmedError("gone"), 5]

    async def attempt() -> int:
        answer = answers.pop(0)
        if isinstance(answer, int):
            return answer
        raise answer

    assert await settled(attempt) == 5
    answers += [LogError("broken")]
    with pytest.raises(LogError, match="broken"):
        await settled(attempt)
    assert answers == []


async def known(log: MemoryLog, point: str, *, now: float | None = None) -> tuple[int, float]:
    seq, time = await known_place(log, point, field="at", now=now)
    return seq, await moment_of(log, seq, time)


@pytest.mark.parametrize(
    ("point", "found"),
    [
        ("seq:3", (3, START + 10)),  # the state that is left of what was dropped, with its own time
        ("seq:4", (4, START + 20)),
        ("seq:7", (7, START + 50)),
        ("2025-01-24T10:00:10Z", (3, START + 10)),
        ("2025-01-24T10:00:15Z", (3, START + 15)),
        ("+5s", (4, START + 25)),
        ("-15s", (5, START + 35)),
        ("+1h", (7, START + 50)),
    ],
)
async def test_a_point_that_is_known_has_the_time_that_it_has(point: str, found: tuple[int, float]) -> None:
    log = await recorded(before=4)
    assert await known(log, point) == found


@pytest.mark.parametrize("point", ["seq:2", "seq:0", " seq:1", "2025-01-24T10:00:09Z", "-41s", "-10h"])
async def test_nothing_is_said_of_what_retention_dropped(point: str) -> None:
    log = await recorded(before=4)
    with pytest.raises(LogTrimmedError):
        await check_kept(log, point, field="at")
    with pytest.raises(LogTrimmedError, match=r"at: .* is no longer kept: the log begins at 4, .*; seq:3 is"):
        await known_place(log, point, field="at")
    await check_kept(log, "seq:3", field="at")


@pytest.mark.parametrize(
    ("point", "found"),
    [
        ("seq:0", (0, START)),
        ("-10h", (0, START)),
        ("2020-01-01T00:00:00Z", (0, START)),
        ("+10h", (7, START + 60)),
        ("2030-01-01T00:00:00Z", (7, START + 60)),
        ("+55s", (7, START + 55)),
    ],
)
async def test_a_moment_outside_of_all_that_was_recorded_is_the_nearest_end(
    point: str, found: tuple[int, float]
) -> None:
    assert await known(await recorded(), point, now=START + 60) == found


async def test_the_last_event_is_not_before_itself_where_the_clock_of_whoever_asks_is_behind() -> None:
    assert await known(await recorded(), "+1h", now=START + 45) == (7, START + 50)


async def test_without_a_now_the_end_is_the_last_event() -> None:
    assert await known(await recorded(), "+10h") == (7, START + 50)
    assert await known(await recorded(), "-0s") == (7, START + 50)


async def test_an_event_that_is_not_there_yet_is_no_known_place() -> None:
    with pytest.raises(InvalidMessageError) as refused:
        await known_place(await recorded(), "seq:8", field="at")
    assert refused.value.details == "at: 'seq:8': the last one is seq:7"


async def test_an_empty_log_knows_its_beginning_only() -> None:
    assert await known(MemoryLog(), "-5m") == (0, 0.0)


async def test_what_another_process_has_committed_by_now_is_there_for_who_was_told_its_number(
    tmp_path: Path,
) -> None:
    written = await SqliteLog.open(tmp_path / "log.db")
    read = await SqliteLog.open_read_only(tmp_path / "log.db")
    await written.append([change(Verb.ADDED, pod_key("a"), time=START)])
    assert read.head == 0
    assert await known_place(read, "seq:1", field="at") == (1, None)
    with pytest.raises(InvalidMessageError, match="not there yet"):
        await known_place(read, "seq:2", field="at")
    for log in (read, written):
        await log.close()
