"""Whether a condition is true is what the CEL library says of the whole object, however often it is asked."""

from __future__ import annotations

import json
from typing import Any

import cel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.conditions import judging
from kstream.core.conditions.condition import Condition
from kstream.core.conditions.judging import Judge
from kstream.core.errors import InvalidMessageError


def judge(text: str) -> Judge:
    return Judge(Condition.parse(text))


def body(**fields: Any) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


EXPRESSIONS = [
    'pod.status == "Error"',
    'pod.labels["app"] == "web" || pod.status == "Error"',
    "has(pod.labels.app) && size(pod.containers) > 1",
    "pod.containers.exists(c, c.restartCount > 2)",
    '"owner" in pod && pod.owner != null',
    'pod.status.matches("^(E|Init:).*")',
    "pod.nodeName == null",
    "pod.containers[1].restartCount > 2",
    'pod.labels["app"] < 1',
    "1 / size(pod.containers) > 0",
]
BODIES = st.fixed_dictionaries(
    {"status": st.sampled_from(["Error", "Running"])},
    optional={
        "labels": st.dictionaries(st.sampled_from(["app", "x"]), st.sampled_from(["web", "db"])),
        "containers": st.lists(st.fixed_dictionaries({"restartCount": st.integers(0, 4)}), max_size=3),
        "owner": st.sampled_from([None, {"kind": "Job"}]),
        "nodeName": st.sampled_from([None, "n"]),
    },
)


@given(st.sampled_from(EXPRESSIONS), st.lists(BODIES, max_size=8))
def test_it_is_what_the_library_says_of_the_whole_object(text: str, pods: list[dict[str, Any]]) -> None:
    asked, program = judge(text), cel.compile(text)
    for pod in [*pods, *pods]:
        try:
            wanted = program.execute({"pod": pod})
        except (LookupError, TypeError, RuntimeError, ValueError, ArithmeticError):
            wanted = False
        assert asked(body(name="p", **pod)) is wanted


def test_what_is_alike_in_what_is_read_is_asked_once() -> None:
    asked = judge('pod.status == "Error"')
    assert [asked(body(name=f"p{n}", status="Error")) for n in range(5)] == [True] * 5
    assert asked.steps == 435
    asked(body(status="Running"))
    assert asked.steps == 2 * 435


def test_more_answers_than_are_remembered_are_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_REMEMBERED", 2)
    asked = judge('pod.status == "3"')
    assert [asked(body(status=str(n))) for n in (1, 2, 3, 3)] == [False, False, True, True]
    assert asked.steps == 3 * 435


def test_answers_about_large_objects_are_forgotten_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "_BYTES", 100)
    for text in ("pod.status.size() > 90", "pod.name.size() + pod.status.size() > 90", "'status' in pod"):
        asked = judge(text)
        long, other = (body(name="p", status=mark * 101) for mark in "ab")
        asked(long)
        once = asked.steps
        asked(long)
        assert asked.steps == once
        asked(other)
        asked(long)
        assert asked.steps == 3 * once


def test_what_cannot_be_told_is_not_true_and_said() -> None:
    asked = judge('pod.labels.app == "web"')
    assert not asked(body(labels={}))
    assert not asked(body(name="p"))
    assert (asked.undecided, asked.why) == (2, "there is no 'app'")
    other = judge("pod.status > 5")
    assert not other(body(status="x"))
    assert "No such overload" in other.why


@pytest.mark.parametrize("place", ["1", "-1", "9223372036854775807"])
def test_an_item_that_is_not_there_cannot_be_told(place: str) -> None:
    asked = judge(f'pod.containers[{place}].name == "sidecar"')
    assert not asked(body(containers=[{"name": "main"}]))
    assert (asked.undecided, "out of bounds" in asked.why) == (1, True)


def test_the_library_is_not_asked_what_would_take_it_long(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = judge("pod.containers.all(c, pod.containers.all(d, c.name != d.image))")
    few, many = ([{"name": f"c{n}", "image": "a"} for n in range(count)] for count in (10, 500))
    assert asked(body(containers=few))
    assert asked.undecided == 0
    monkeypatch.setattr(asked, "_program", None)
    steps = asked.steps
    assert not asked(body(containers=many))
    assert (asked.undecided, asked.steps) == (1, steps)
    assert asked.why == "that would take too long of an object with 1502 values, up to 500 in a list"


def test_what_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(InvalidMessageError) as refused:
        judge("pod.status")(body(status="Running"))
    assert "it is 'Running' of an object, not true or false" in refused.value.details


@pytest.mark.parametrize("about", ["pod", "node", "namespace"])
def test_each_kind_has_its_variable(about: str) -> None:
    assert judge(f'{about}.name == "a"')(body(name="a"))
    assert judge(f'"name" in {about}')(body(name="a"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("pod.containers[1].name == 'a'", "out of bounds"),
        ("pod.containers[-1].name == 'a'", "out of bounds"),
        ("pod.labels['b'] == 'a'", "no 'b'"),
        ("pod.labels[1] == 'a'", ""),
        ("pod.name < 1", ""),
        ("pod.name + 1 == 2", ""),
        ("1 / (size(pod.containers) - 1) > 0", ""),
        ("size(pod.containers) + 9223372036854775807 > 0", ""),
        ("int(pod.name) > 1", ""),
        ("timestamp(pod.name) > timestamp('2026-01-24T10:00:00Z')", ""),
        ("duration(pod.name) > duration('1s')", ""),
    ],
)
def test_what_the_library_cannot_tell_is_not_true_and_says_why(text: str, why: str) -> None:
    asked = judge(text)
    assert not asked(body(name="p", labels={"a": "b"}, containers=[{"name": "a"}]))
    assert asked.undecided == 1
    assert asked.why != ""
    assert why in asked.why


def test_one_that_is_dear_is_judged_so_often_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = judge('pod.status == "Error"')
    assert not asked(body(status="1"))
    monkeypatch.setattr(judging, "_STEPS", 2 * asked.steps)
    assert [asked(body(status=str(n))) for n in (2, 2, 1)] == [False] * 3
    with pytest.raises(InvalidMessageError) as refused:
        asked(body(status="3"))
    assert "it is dear of one object" in refused.value.details
