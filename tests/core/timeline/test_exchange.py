"""A log as lines: what is written is read as the same, and what is not is refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.errors import ConfigError
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb, WatchEvent
from kstream.core.timeline.exchange import Beginning, event_line, header_line, read_event, read_header
from kstream.core.timeline.health import ClusterInfo
from kstream.core.timeline.terms import Term

BEGINNING = Beginning(
    "e1",
    ClusterInfo("prod", "v1.36.0", "uid-a"),
    {"seed": "4", "scenario": '"calm"'},
    {"pods": "12", "nodes": "11"},
    [Term("t1", 1), Term("t2", 30)],
    20,
    1_750_000_000.25,
    3,
    9,
)
EVENT = Event(
    7,
    WatchEvent(
        Verb.MODIFIED, ObjectKey(Kind.POD, "shop", "web-1", "u1"), "99", 12.5, b'{"name":"web-1","x":[1.50]}'
    ),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | texts, st.lists, max_leaves=5
)
bodies = st.builds(
    lambda told, indent: json.dumps(told, ensure_ascii=False, indent=indent).encode(),
    st.dictionaries(texts, values, max_size=3),
    st.sampled_from([None, 1]),
)
events = st.builds(
    Event,
    st.integers(1, 2**62),
    st.builds(
        WatchEvent,
        st.sampled_from(Verb),
        st.builds(ObjectKey, st.sampled_from(Kind), texts, texts, texts),
        texts,
        st.floats(-62_135_596_800.0, 253_402_300_799.0),
        bodies,
    ),
)


@given(events)
def test_an_event_is_one_line_and_the_same_again(event: Event) -> None:
    line = event_line(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    found = read_event(line)
    assert json.loads(found.change.body) == json.loads(event.change.body)
    assert found.change.body == msgspec.json.encode(json.loads(event.change.body))
    again = event_line(found)
    assert read_event(again) == found
    assert event_line(read_event(again)) == again


def test_what_another_program_wrote_again_is_as_kstream_writes_it() -> None:
    body = (
        b'{ "status" : "\\u0045rror",\t"x": [ 1.50, 1e400, 99999999999999999999999 ],'
        b' "m": "a: \\"b\\", \\/c\\u00e9 \\u0001" }'
    )
    line = event_line(Event(7, msgspec.structs.replace(EVENT.change, body=body)))
    told = '{"status":"Error","x":[1.50,1e400,99999999999999999999999],"m":"a: \\"b\\", /cé \\u0001"}'
    assert read_event(line).change.body == told.encode()


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_an_end_of_a_line_between_two_tokens_is_a_space(end: bytes) -> None:
    body = b'{"a":' + end + b'"b\\n"}'
    change = msgspec.structs.replace(EVENT.change, body=body)
    line = event_line(Event(7, change))
    assert line.splitlines() == [line[:-1]]
    assert json.loads(read_event(line).change.body) == {"a": "b\n"}


def test_a_line_says_what_it_is_in_the_order_that_is_documented() -> None:
    assert event_line(EVENT) == (
        b'{"seq":7,"time":12.5,"action":"MODIFIED","kind":"pod","namespace":"shop","name":"web-1","uid":"u1",'
        b'"version":"99","data":{"name":"web-1","x":[1.50]}}\n'
    )


@pytest.mark.parametrize(
    "beginning",
    [
        BEGINNING,
        BEGINNING._replace(cluster=None, meta={}, versions={}),
        BEGINNING._replace(seq=0, time=0.0, objects=0),
    ],
)
def test_a_header_is_the_same_again(beginning: Beginning) -> None:
    line = header_line(beginning._replace(terms=beginning.terms[:1]))
    assert read_header(line) == beginning._replace(terms=beginning.terms[:1])
    assert header_line(read_header(line)) == line


def test_a_header_has_its_keys_in_one_order_whatever_the_log_has_them_in() -> None:
    line = header_line(BEGINNING).decode()
    assert line == (
        '{"kstream":"log","version":1,"epoch":"e1","cluster":{"name":"prod","version":"v1.36.0","uid":"uid-a"},'
        '"meta":{"scenario":"calm","seed":4},"versions":{"nodes":"11","pods":"12"},'
        '"terms":[{"id":"t1","first":1},{"id":"t2","first":30}],'
        '"start":{"seq":20,"time":1750000000.25,"objects":3},"events":9}\n'
    )


def altered(**fields: Any) -> bytes:
    return json.dumps({**json.loads(header_line(BEGINNING)), **fields}).encode()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", "it does not begin as `kstream log export` does"),
        (b"{}", "it does not begin as"),
        (b"\xff\xfe", "it does not begin as"),
        (b'{"type":"ADDED"}', "it does not begin as"),
        (b"[" * 100_000, "it does not begin as"),
        (altered(version=2), "it is of version 2, and this kstream reads 1; use the kstream that wrote it"),
        (altered(more=1), "unknown field `more`"),
        (altered(events=-1), ">= 0"),
        (altered(terms=[]), "its terms begin with the events []"),
        (
            altered(terms=[{"id": "a", "first": 5}, {"id": "b", "first": 4}]),
            "[5, 4], and its last event is 29",
        ),
        (altered(terms=[{"id": "a", "first": 31}]), "[31], and its last event is 29"),
        (
            altered(start={"seq": 0, "time": 1.0, "objects": 0}, terms=[{"id": "a", "first": 1}]),
            "with nothing, at 1.0",
        ),
        (
            altered(start={"seq": 2, "time": 1.0, "objects": 3}, terms=[{"id": "a", "first": 1}]),
            "3 objects, of only 2",
        ),
        (altered(start={"seq": 2, "time": 1e15, "objects": 3}), "< 253402300800.0"),
    ],
)
def test_what_is_no_header_is_refused_with_the_reason(line: bytes, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_header(line)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b'"seq":7', b'"seq":0', ">= 1"),
        (b"12.5", b"1e300", "< 253402300800.0"),
        (b"12.5", b"-62135596800.5", ">= -62135596800.0"),
        (b"MODIFIED", b"BOOKMARK", "BOOKMARK"),
        (b'"pod"', b'"service"', "service"),
        (b'"uid":"u1",', b"", "uid"),
        (b'{"name":"web-1","x":[1.50]}', b"[]", "its data is no object"),
        (b'{"name":"web-1","x":[1.50]}', b'{"name":"\xff"}', "utf-8"),
        (b'{"name":"web-1","x":[1.50]}', b"[" * 100_000, "recursion"),
        (b'{"name":"web-1","x":[1.50]}}', b"", "truncated"),
    ],
)
def test_what_is_no_event_is_refused_with_the_reason(old: bytes, new: bytes, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_event(event_line(EVENT).replace(old, new))
    assert says in str(caught.value)


def test_the_lines_that_are_documented_are_such_lines() -> None:
    page = (Path(__file__).parents[3] / "docs" / "log-format.md").read_text()
    header, event = [
        block.partition("```")[0].replace("\n", "").encode() for block in page.split("```text")[1:3]
    ]
    assert json.loads(header_line(read_header(header))) == json.loads(header)
    assert list(json.loads(header_line(read_header(header)))) == list(json.loads(header))
    assert list(json.loads(event_line(read_event(event))).items()) == list(json.loads(event).items())
