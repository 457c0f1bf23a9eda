"""An export is checked while it is read: what is no history is refused with its line, and no log is made of it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.errors import ConfigError
from kstream.core.timeline.events import Event, Verb
from kstream.core.timeline.exchange import LONGEST, Beginning, event_line, header_line
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.terms import Term
from kstream.logs import keyframes
from kstream.logs.exchanged import Lines
from tests.logs.facts import history

EVENTS = [Event(seq, change) for seq, change in enumerate(history(60), 1)]


def exported(after: int = 0, upto: int = 60) -> list[bytes]:
    live = keyframes.LiveSet()
    live.apply(EVENTS[:after])
    refs = live.keyframe().refs
    beginning = Beginning(
        "e1",
        ClusterInfo("prod", "v1", "u"),
        {"seed": "1"},
        {"pods": "7"},
        [Term("t1", 1)],
        live.seq,
        live.time,
        len(refs),
        upto - after,
    )
    told = [*(EVENTS[ref - 1] for ref in refs), *EVENTS[after:upto]]
    return [header_line(beginning), *map(event_line, told)]


def read(lines: Iterable[bytes]) -> tuple[Lines, list[Event], list[Event]]:
    found = Lines("x.ndjson", io.BytesIO(b"".join(lines)))
    return found, list(found.start.objects), list(found.events())


@given(st.integers(0, 60), st.integers(0, 60))
def test_what_was_exported_is_read_as_it_was(one: int, other: int) -> None:
    after, upto = sorted((one, other))
    lines = exported(after, upto)
    found, objects, events = read(lines)
    assert events == EVENTS[after:upto]
    assert [event_line(event) for event in objects] == lines[1 : 1 + found.objects]
    assert (found.start.seq, found.count) == (after, upto - after)
    status = found.status
    assert (status.epoch, status.terms, status.oldest, status.head) == (
        "e1",
        [Term("t1", 1)],
        after + 1,
        upto,
    )
    assert (status.cluster, status.versions) == (ClusterInfo("prod", "v1", "u"), {"pods": "7"})
    assert status.meta == {"seed": "1"}


def test_events_go_on_from_a_state_in_which_nothing_is() -> None:
    first, *_ = exported(0, 0)
    header = json.loads(first) | {"start": {"seq": 5, "time": 9.5, "objects": 0}, "events": 1}
    change = next(each for each in history(60) if each.verb is Verb.ADDED)
    found, objects, events = read([json.dumps(header).encode() + b"\n", event_line(Event(6, change))])
    assert (objects, events) == ([], [Event(6, change)])
    assert (found.start.seq, found.start.time) == (5, 9.5)


def edited(line: bytes, **fields: object) -> bytes:
    return json.dumps({**json.loads(line), **fields}).encode() + b"\n"


LINES = exported(40)
LAST = json.loads(LINES[-1])["data"]
OBJECTS = json.loads(LINES[0])["start"]["objects"]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "x.ndjson: line 1: it does not begin as"),
        (LINES[:1], "line 2: it ends here; its first line tells of"),
        (LINES[:-1], f"line {len(LINES)}: it ends here"),
        ([*LINES, b"{}\n"], f"line {len(LINES) + 1}: there is more than the 20 events"),
        ([*LINES[:-1], LINES[-1][:-10]], f"line {len(LINES)}: this is no event"),
        ([LINES[0], LINES[2], LINES[1], *LINES[3:]], None),  # the order within a kind is anybody's
        ([LINES[0], LINES[OBJECTS], *LINES[1:OBJECTS], *LINES[OBJECTS + 1 :]], "they are told kind by kind"),
        ([*LINES[:2], LINES[1], *LINES[3:]], "is of no object of the state after event 40"),
        ([LINES[0], edited(LINES[1], seq=41), *LINES[2:]], "event 41, "),
        ([LINES[0], edited(LINES[1], action="DELETED"), *LINES[2:]], "DELETED, is of no object"),
        ([LINES[0], edited(LINES[1], seq=39), edited(LINES[1], seq=38), *LINES[3:]], "twice"),
        ([*LINES[:-2], LINES[-1], LINES[-2]], f"line {len(LINES) - 1}: Event 60 came after event 58"),
        ([*LINES[:-1], edited(LINES[-1], uid="new", action="MODIFIED", data=LAST | {"uid": "new"})], "not there"),
        ([*LINES[:-1], edited(LINES[-1], uid="new")], "its data is of another"),
        ([LINES[0], edited(LINES[1], data={"status": 7}), *LINES[2:]], "Expected `str`"),
        ([*LINES[:-1], edited(LINES[-1], kind="pod", action="ADDED", uid="n", data={"phase": 7})], "Expected `str`"),
        ([LINES[0], b"x" * (LONGEST + 1)], f"line 2: it has more than {LONGEST} bytes"),
    ],
)  # fmt: skip
def test_what_is_no_history_is_refused_with_its_line(lines: list[bytes], says: str | None) -> None:
    if says is None:
        read(lines)
        return
    with pytest.raises(ConfigError) as caught:
        read(lines)
    assert says in str(caught.value)
    remedy = "; export the log again" + ("" if lines else ", or say with --form what else wrote it")
    assert str(caught.value).endswith(remedy)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def readline(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    file: IO[bytes] = Broken()
    with pytest.raises(ConfigError, match=r"line 1: it cannot be read \(Input/output error\)"):
        Lines("x.ndjson", file)
