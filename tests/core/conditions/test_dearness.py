"""What an answer costs is known before the library is asked, which stops for nobody until it has answered."""

from __future__ import annotations

from typing import Any

import pytest

from kstream.core.conditions.dearness import MOST_STEPS, Dearness, Size, dearness, size
from kstream.core.conditions.tokens import tokens
from kstream.core.errors import InvalidMessageError


def dear(text: str) -> Dearness:
    return dearness(text, tokens(text))


def steps(text: str, *, values: int = 30, items: int = 8) -> int:
    return dear(text).of(Size(values, items))


def pods(count: int) -> Size:
    """Of the containers of a pod that has so many."""
    return size(
        [{"name": "main", "image": "app:1", "ready": True, "restartCount": 1, "state": "running"}] * count
    )


@pytest.mark.parametrize(
    "text",
    [
        'pod.status == "Error"',
        "pod.containers.exists(c, c.restartCount > 3)",
        "pod.containers.filter(c, c.restartCount > 3).size() > 1",
        '"main" in pod.containers.map(c, c.name)',
        "pod.containers.filter(c, c.ready).all(c, c.restartCount == 0)",
        "pod.containers.all(c, pod.containers.exists(d, c.name == d.name))",
        'pod.containers.filter(c, c["name"] in ["main", "proxy"]).size() == 2',
        "pod.containers.exists(c, c.image.matches('^registry[.].*:[0-9]+$'))",
    ],
)
def test_what_people_ask_of_a_pod_with_many_containers_is_not_too_dear(text: str) -> None:
    assert 0 < dear(text).of(pods(20)) < MOST_STEPS


@pytest.mark.parametrize(
    "text",
    [
        "pod.containers.all(c, pod.containers.exists(d, c.name == d.name))",
        "pod.containers.map(c, pod.containers).size() == 0",
        "pod.containers.exists(c, c.image.matches('a.*b'))",
        "pod.containers.exists(c, " + " && ".join(["pod.labels == pod.labels"] * 20) + ")",
        "(" + " + ".join(["pod.containers"] * 40) + ").all(c, pod.containers.all(d, c == d))",
        "pod.containers.map(c, pod.containers).all(l, l.all(d, l == l))",
    ],
)
def test_what_would_take_long_of_an_object_with_long_lists_is_known(text: str) -> None:
    assert dear(text).of(pods(200)) > MOST_STEPS


def test_a_loop_and_a_regular_expression_are_dear() -> None:
    plain, loop, twice, wide, pattern = (
        steps(text)
        for text in (
            "pod.name == 'a'",
            "[1].all(a, pod.name == 'a')",
            "[1].all(a, [1].all(b, pod.name == 'a'))",
            f"[{', '.join(['1'] * 50)}].all(a, pod.name == 'a')",
            "pod.name.matches('a{1,3}')",
        )
    )
    asked = 300 + 60 * 30
    assert plain - asked == 5 + 5 * 30
    assert 5 * (plain - asked) < loop - asked < wide - asked
    assert 5 * (loop - asked) < twice - asked
    assert pattern - asked > 3000


def test_what_is_read_again_in_each_turn_is_dearer_than_an_item() -> None:
    item = steps("pod.containers.exists(c, c == c)")
    assert steps("pod.containers.exists(c, pod == c)") > item + 5 * 30 * 6
    assert steps("pod.containers.exists(c, true == null)") < item


def test_what_map_made_may_have_the_whole_in_each_item() -> None:
    made = steps("pod.containers.map(c, pod.containers).exists(l, l == l)")
    assert made > steps("pod.containers.map(c, pod.containers).exists(l, true)") + 2 * 5 * 30 * 7


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pod.name.matches(pod.status)", "the pattern of matches must be a text"),
        ("pod.name.matches()", "the pattern of matches must be a text"),
        (f"pod.name.matches('{'a' * 101}')", "a pattern may have 100 characters"),
        ("pod.name.matches('((a{100}){100}){100}')", "count to 20"),
        ("pod.name.matches('a{,9999999999999}')", "count to 20"),
        (r"pod.name.matches('\\pL{20}\\w\\w')", "have 50 classes"),
        (" || ".join([r"pod.name.matches('\\w{20}\\w')"] * 3), "too dear together"),
        (f"pod.name.matches('(?i){'[Ā-￿]' * 15}')", "have 50 classes"),
        (f"[{', '.join('1' * 21)}].all(a, [1].all(b, pod.name == 'a'))", "may go round 400 times"),
        ("[1].all(a, [1].all(b, [1].all(c, pod.name == 'a')))", "more than 2 loops are in each other"),
        ("pod.containers" + ".map(c, [c, c])" * 20 + " == []", "no list, map or sum is made in map"),
        ("pod.containers.map(c, {'a': c}) == []", "no list, map or sum is made in map"),
        ("pod.containers.map(c, pod.containers + pod.containers) == []", "no list, map or sum"),
        ("pod.containers.map(c, true ? [c, c] : c) == []", "no list, map or sum is made in map"),
        ("pod.containers.map(c, pod.containers).map(l, l) == []", "goes through a list of the object"),
        ("[pod.containers].map(l, l) == []", "goes through a list of the object, as in pod.containers.map"),
        ("pod.containers[0].env.filter(l, l) == []", "as in pod.containers.filter"),
        ("{'a': pod.containers}.a.map(l, l) == []", "goes through a list of the object"),
        ("a.pod.containers.map(l, l) == []", "goes through a list of the object"),
        ("map(pod.containers, l, l) == []", "goes through a list of the object"),
        ("pod.containers.map(c, pod.containers.map(d, pod)) == []", "map is in no other loop"),
        ("pod.containers.all(c, pod.containers.filter(d, true) == [])", "filter is in no other loop"),
        ("pod.containers.filter(c, pod.containers.all(d, true)) == []", "filter is in no other loop"),
    ],
)
def test_what_could_be_too_dear_of_any_object_is_refused_with_its_place(text: str, says: str) -> None:
    with pytest.raises(InvalidMessageError) as refused:
        dear(text)
    assert "where: at character " in refused.value.details
    assert says in refused.value.details


@pytest.mark.parametrize(
    ("value", "of"),
    [
        (1, Size(1, 0)),
        ("a" * 128, Size(3, 0)),
        ({"a": [1, 2, 3], "b": {"c": None}}, Size(7, 3)),
        ({"a": [], "b": {}, "c": 1, "d": 2}, Size(5, 4)),
    ],
)
def test_the_size_of_an_object_is_its_values_and_its_longest_list(value: Any, of: Size) -> None:
    assert size(value) == of
