"""Label selectors mean what they mean to Kubernetes (labels.Parse, labels.Requirement)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery.selectors import (
    MAX_REQUIREMENTS,
    MAX_SELECTOR,
    Operator,
    Requirement,
    Selector,
    labels_of,
)
from kstream.core.errors import InvalidMessageError
from tests.making import labelled


def selector(text: str) -> Selector:
    parsed = Selector.parse(text)
    assert parsed is not None
    return parsed


@pytest.mark.parametrize(
    ("text", "labels", "holds"),
    [
        ("app=web", {"app": "web"}, True),
        ("app==web", {"app": "web"}, True),
        ("app=web", {"app": "webs"}, False),
        ("app=web", {}, False),
        ("app!=web", {"app": "web"}, False),
        ("app!=web", {"app": "db"}, True),
        ("app!=web", {}, True),
        ("app in (web,db)", {"app": "db"}, True),
        ("app in (web,db)", {"app": "cache"}, False),
        ("app in (web)", {}, False),
        ("app notin (web,db)", {"app": "db"}, False),
        ("app notin (web,db)", {"app": "cache"}, True),
        ("app notin (web,db)", {}, True),
        ("app", {"app": ""}, True),
        ("app", {"ap": "p"}, False),
        ("!app", {"app": ""}, False),
        ("!app", {}, True),
        ("n>3", {"n": "4"}, True),
        ("n>3", {"n": "3"}, False),
        ("n>3", {"n": "many"}, False),
        ("n>3", {}, False),
        ("n<3", {"n": "2"}, True),
        ("n<3", {"n": "3"}, False),
        ("n<3", {"n": "few"}, False),
        ("n<3", {}, False),
        ("app=", {"app": ""}, True),
        ("app=", {"app": "x"}, False),
        ("app=,b=c", {"app": "", "b": "c"}, True),
        ("app in (a,)", {"app": ""}, True),
        ("app in (,)", {"app": "a"}, False),
        ("app in ()", {"app": ""}, True),
        ("app in ()", {"app": "a"}, False),
        ("app notin ()", {"app": "a"}, True),
        ("n>00000000000000000000000001", {"n": "2"}, True),
        ("n>1", {"n": "9223372036854775808"}, False),
        ("n<9223372036854775807", {"n": "9223372036854775806"}, True),
        ("app=web,tier=front", {"app": "web", "tier": "front"}, True),
        ("app=web,tier=front", {"app": "web"}, False),
        ("in in (notin)", {"in": "notin"}, True),
        ("notin", {"notin": ""}, True),
        ("k8s.io/name=x_Y.z-1", {"k8s.io/name": "x_Y.z-1"}, True),
        (" app  in ( web , db ) , ! gone ", {"app": "web"}, True),
    ],
)
def test_a_selector_holds_for_what_kubernetes_says(text: str, labels: dict[str, str], holds: bool) -> None:
    assert selector(text).matches(labels) is holds
    assert selector(text).shows(labelled("p", labels)) is holds, "nor does the search before the reading lie"
    assert selector(str(selector(text))) == selector(text), "what it prints as is the same selector"


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_no_requirement_is_no_selector(text: str) -> None:
    assert Selector.parse(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("=web", "'=' stands where a label's name is due"),
        ("app=web,", "it ends too early"),
        (",app", "',' stands where a label's name is due"),
        ("!", "it ends too early"),
        ("!app=web", "'=' stands where ',' or the end is due"),
        ("app web", "'web' after 'app' is no comparison"),
        ("app!web", "'!' after 'app' is no comparison"),
        ("app in web", "'web' stands where '(' is due"),
        ("app in", "it ends too early"),
        ("app in (", "it ends too early"),
        ("a\x0bb", "is no label's name: 1 to 63"),
        ("n>9223372036854775808", "n>9223372036854775808: a label is compared with a whole number"),
        ("app in (a b)", "'b' stands where ',' or ')' is due"),
        ("app in (a", "it ends too early"),
        ("app=web=db", "'=' stands where ',' or the end is due"),
        ("a/b/c", "'a/b/c' is no label's name: what is before '/' must be a DNS name"),
        ("/a", "'/a' is no label's name: what is before '/' must be a DNS name"),
        ("A.io/a", "'A.io/a' is no label's name: what is before '/' must be a DNS name"),
        (f"{'a.' * 127}/b", "is no label's name: what is before '/' must be a DNS name"),
        (f"{'a.' * 126}aa/b", "is no label's name: what is before '/' must be a DNS name"),
        ("-a", "'-a' is no label's name: 1 to 63"),
        ("a/", "'a/' is no label's name: 1 to 63"),
        ("x" * 64, "is no label's name: 1 to 63"),
        ("app=-web", "'-web' is no label's value: at most 63"),
        ("app=wäb", "is no label's value: at most 63"),
        (f"app={'x' * 64}", "is no label's value: at most 63"),
        ("n>many", "n>many: a label is compared with a whole number"),
        ("n<", "n<: a label is compared with a whole number"),
        ("n>1.5", "n>1.5: a label is compared with a whole number"),
        ("a" * (MAX_SELECTOR + 1), f"{MAX_SELECTOR + 1} characters; at most {MAX_SELECTOR} are read"),
        (
            ",".join(f"a{n}" for n in range(MAX_REQUIREMENTS + 1)),
            f"{MAX_REQUIREMENTS + 1} requirements; ask for at most {MAX_REQUIREMENTS}",
        ),
    ],
)
def test_what_is_no_selector_is_refused_at_its_place(text: str, why: str) -> None:
    with pytest.raises(InvalidMessageError, match="A label selector cannot be read") as refused:
        Selector.parse(text)
    details = refused.value.details
    assert details.startswith("labels: ")
    assert why in details
    assert details.endswith("; write it as kubectl does: app=web,tier in (front,back),!canary")
    assert len(details) < 300, "however long it was"


def test_as_many_as_may_be_are_taken() -> None:
    many = selector(",".join(f"a{n}" for n in range(MAX_REQUIREMENTS)))
    assert len(many.requirements) == MAX_REQUIREMENTS
    assert selector(f"{'a.' * 126}a/{'b' * 63}={'c' * 63}").pairs, "253 and 63 and 63"
    assert selector("a" + " " * (MAX_SELECTOR - 1)).requirements == (Requirement("a", Operator.EXISTS),)


def test_the_same_in_other_words_is_the_same() -> None:
    assert selector("a=1,b") == selector(" b , a==1,a in (1)")
    assert hash(selector("a in (x,y)")) == hash(selector("a in (y,x,x)"))
    assert selector("a=1") != selector("a!=1")
    assert selector("a") != selector("!a")
    assert selector("a in (x,y)") != selector("a=x")
    assert selector("a notin (x,y)") != selector("a!=x")


@pytest.mark.parametrize(
    "text", ["a=x", "a!=x", "a in (x,y)", "a notin (x,y)", "a", "!a", "a>3", "a<3", "a=,b"]
)
def test_it_prints_as_it_is_written(text: str) -> None:
    assert str(selector(text)) == text


def test_each_object_that_matches_has_one_of_its_pairs() -> None:
    assert selector("!a,b!=1,c>2,d").pairs == ()
    assert selector("a in (x,y,z),b in (u,v)").pairs == (("b", "u"), ("b", "v")), "of the narrowest"
    assert selector("a=1").pairs == (("a", "1"),)


def test_what_has_no_labels_to_read_has_none() -> None:
    for body in (
        b'{"uid":"u"}',
        b"",
        b"{",
        b'{"labels":5}',
        b'{"labels":{"a":null}}',
        b"\xff",
        b'{"labels":{"a":"\xff"}}',
    ):
        assert labels_of(body) == {}


KEYS, VALUES = st.sampled_from(["a", "b", "c"]), st.sampled_from(["", "1", "2", "x"])


@st.composite
def requirements(draw: st.DrawFn) -> str:
    key = draw(KEYS)
    match draw(st.sampled_from(["=", "!=", "in", "notin", "", "!", ">", "<"])):
        case "=" | "!=" as sign:
            return f"{key}{sign}{draw(VALUES)}"
        case "in" | "notin" as sign:
            return f"{key} {sign} ({','.join(draw(st.lists(VALUES, min_size=2, max_size=12)))})"
        case ">" | "<" as sign:
            return f"{key}{sign}{draw(st.integers(0, 3))}"
        case sign:
            return f"{sign}{key}"


@given(st.lists(requirements(), min_size=1, max_size=4), st.dictionaries(KEYS, VALUES))
def test_a_body_shows_what_its_labels_match_and_has_a_pair_of_it(
    parts: list[str], labels: dict[str, str]
) -> None:
    chosen = selector(",".join(parts))
    matches = all(selector(part).matches(labels) for part in parts)
    assert chosen.matches(labels) is matches
    assert chosen.shows(labelled("p", labels)) is matches
    if matches and chosen.pairs:
        assert set(chosen.pairs) & set(labels.items())


@given(st.text(alphabet="ab1=!<>(), in/.-", max_size=40))
def test_whatever_is_written_is_a_selector_or_an_error(text: str) -> None:
    try:
        parsed = Selector.parse(text)
    except InvalidMessageError:
        return
    assert (parsed is None) is not bool(text.strip())
    assert parsed is None or Selector.parse(str(parsed)) == parsed
