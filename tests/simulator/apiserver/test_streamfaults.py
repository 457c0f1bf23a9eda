"""What a fault script makes of the lines of a watch: steps out, no socket and no clock."""

from __future__ import annotations

import pytest

from simulator.apiserver.faults import parse_script
from simulator.apiserver.streamfaults import End, Pause, Send, Step, StreamFaults
from simulator.apiserver.watching import Line

A, B, C = (Line("ADDED", f'{{"{name}"}}\n'.encode()) for name in "abc")
MARK = Line("BOOKMARK", b'{"annotations":{"k8s.io/initial-events-end":"true"}}\n')


def faults(*rules: str) -> StreamFaults:
    text = "\n".join(f"- {{match: {{verb: watch}}, {rule}}}" for rule in rules)
    return StreamFaults(parse_script(f"faults:\n{text}\n").faults)


def sent(steps: list[Step]) -> bytes:
    return b"".join(step.data for step in steps if isinstance(step, Send))


def test_without_a_fault_lines_go_as_they_are_at_once() -> None:
    calm = StreamFaults(())
    assert calm.open() == []
    assert calm.lines([A, MARK, B]) == [Send(A.body + MARK.body + B.body)]


@pytest.mark.parametrize(
    ("rule", "steps"),
    [
        ("do: end", [End(True)]),
        ("do: silence", [Pause(None)]),
        ("do: drop", []),  # instead of the watch: nobody comes so far
        ("do: {delay: 3}", []),
        ("do: {line: hello}", [Send(b"hello\n")]),
        ("do: {line: ''}", [Send(b"\n")]),
        ("do: stale", []),
        ("do: duplicate", []),
        ("do: {torn_line: 3}", []),
    ],
)
def test_what_has_no_place_comes_before_the_first_line(rule: str, steps: list[Step]) -> None:
    assert faults(rule).open() == steps


@pytest.mark.parametrize(
    ("rule", "steps"),
    [
        ("do: end", [Send(A.body), End(True)]),
        ("do: drop", [Send(A.body), End(False)]),
        ("do: silence", [Send(A.body), Pause(None)]),
        ("do: {delay: 3}", [Send(A.body), Pause(3.0), Send(B.body), Send(C.body)]),
        ("do: {torn_line: 3}", [Send(A.body), Send(B.body[:3]), End(True)]),
        ("do: {line: x}", [Send(A.body), Send(b"x\n"), Send(B.body), Send(C.body)]),
        ("do: duplicate", [Send(A.body), Send(B.body), Send(B.body), Send(C.body)]),
        ("do: stale", [Send(A.body), Send(A.body), Send(B.body), Send(C.body)]),
    ],
)
def test_what_has_its_place_comes_after_so_many_objects(rule: str, steps: list[Step]) -> None:
    assert faults(f"when: {{event: 1}}, {rule}").lines([A, B, C]) == steps


def test_a_place_after_the_last_line_is_reached_with_it_and_bookmarks_do_not_count() -> None:
    assert faults("when: {event: 1}, do: end").lines([MARK, A]) == [Send(MARK.body), Send(A.body), End(True)]


def test_ten_lines_come_as_one_and_an_end_lets_go_of_fewer() -> None:
    held = faults("do: one_chunk")
    assert held.open() == []
    assert held.lines([A] * 9) == []
    assert held.lines([B, C]) == [Send(A.body * 9 + B.body), Send(C.body)]
    ended = faults("do: one_chunk", "when: {event: 2}, do: drop")
    ended.open()
    assert ended.lines([A, B, C]) == [Send(A.body + B.body), End(False)]


def test_slow_bytes_come_some_at_a_time_with_a_pause_after_each() -> None:
    slow = faults("do: {slow: {bytes: 4, every: 0.5}}")
    assert slow.open() == []
    assert slow.lines([A]) == [Send(b'{"a"'), Pause(0.5), Send(b"}\n"), Pause(0.5)]


@pytest.mark.parametrize(("size", "length"), [(100, 100), (1, 54)])
def test_an_oversize_line_has_its_size_and_is_a_line_all_the_same(size: int, length: int) -> None:
    data = sent(faults(f"do: {{oversize: {size}}}").open())
    assert len(data) == length
    assert data.count(b"\n") == 1
    assert data.startswith(b'{"type":"MODIFIED","object":{"metadata":{"name":"')


def test_an_error_has_what_was_written_and_ends_the_watch() -> None:
    steps = faults("do: {error: {code: 429, reason: TooManyRequests, message: later, retry_after: 7}}").open()
    assert steps == [
        Send(
            b'{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",'
            b'"message":"later","reason":"TooManyRequests","details":{"retryAfterSeconds":7},"code":429}}\n'
        ),
        End(True),
    ]
    bare = faults("do: error").open()
    assert sent(bare) == (
        b'{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure"}}\n'
    )


def test_bookmarks_may_be_left_out_or_end_the_initial_events_with_another_word() -> None:
    assert sent(faults("do: no_bookmarks").lines([A, MARK, B])) == A.body + B.body
    marked = sent(faults("do: {initial_end: 'maybe'}").lines([A, MARK]))
    assert marked == A.body + MARK.body.replace(b'"true"', b'"maybe"')
