"""Which part of the cluster a client watches."""

from __future__ import annotations

import pytest

from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.selectors import Selector
from kstream.core.errors import InvalidMessageError
from kstream.core.naming import MAX_NAMESPACES
from kstream.core.timeline.events import Kind, ObjectKey
from tests.making import namespace_key, node_key, pod_key

SHOP = Filter(frozenset({"shop"}))


def of_query(**given: list[str]) -> Filter:
    return Filter.of_query(lambda name: given.get(name, []))


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        (node_key("shop"), True),
        (node_key("n"), True),
        (pod_key("web", "shop"), True),
        (pod_key("shop", "bank"), False),
        (namespace_key("shop"), True),
        (namespace_key("bank"), False),
    ],
)
def test_a_filter_shows_its_namespaces_their_pods_and_every_node(key: ObjectKey, shown: bool) -> None:
    assert (key in SHOP) is shown
    assert key in EVERYTHING


def test_no_name_at_all_is_everything_and_a_name_given_twice_is_one() -> None:
    assert Filter.parse([]) == EVERYTHING == Filter()
    assert Filter.parse(["shop", "shop"]) == SHOP
    assert len({Filter.parse(["a", "b"]), Filter.parse(["b", "a"])}) == 1, "the same filter, the same view"


@pytest.mark.parametrize("name", ["a", "0", "a-b", "a--b", "9z", "x" * 63])
def test_a_dns_label_is_a_name(name: str) -> None:
    assert Filter.parse([name]) == Filter(frozenset({name}))


@pytest.mark.parametrize("name", ["", "-a", "a-", "-", "A", "a_b", "a.b", "a b", "ä", "a\n", "x" * 64])
def test_what_is_no_dns_label_is_refused_and_shown(name: str) -> None:
    with pytest.raises(InvalidMessageError, match="A namespace is not a DNS label") as refused:
        Filter.parse(["fine", name])
    assert refused.value.details == (
        f"namespaces: {name!r} must be 1 to 63 of a-z, 0-9 and '-', and not begin or end with '-'"
    )


def test_of_a_name_that_is_far_too_long_eighty_characters_are_shown() -> None:
    with pytest.raises(InvalidMessageError) as refused:
        Filter.parse(["x" * 81])
    assert refused.value.details.startswith(f"namespaces: {'x' * 80!r} must be")


def test_a_thousand_names_are_as_many_as_one_may_ask_for() -> None:
    names = [f"ns{number}" for number in range(MAX_NAMESPACES)]
    assert MAX_NAMESPACES == 1000
    assert Filter.parse([*names, "ns0"]) == Filter(frozenset(names))
    with pytest.raises(InvalidMessageError, match="Too many namespaces") as refused:
        Filter.parse([*names, "one-more"])
    assert refused.value.details == (
        "namespaces: 1001 names; ask for at most 1000, or for all by naming none"
    )


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([], None),
        ([""], None),
        (["", ""], None),
        (["a"], {"a"}),
        (["a,b"], {"a", "b"}),
        (["a", "b,c"], {"a", "b", "c"}),
        (["", "a"], {"a"}),
    ],
)
def test_a_query_may_name_them_with_commas_or_again(values: list[str], names: set[str] | None) -> None:
    assert of_query(namespaces=values).namespaces == names


@pytest.mark.parametrize("value", ["a,", ",", "a,,b", "a, ,b"])
def test_an_empty_name_among_others_is_none(value: str) -> None:
    with pytest.raises(InvalidMessageError):
        of_query(namespaces=[value])


PODS = Filter(kinds=frozenset({Kind.POD}))


def test_kinds_are_what_is_shown_and_nothing_else_is() -> None:
    assert Filter.parse(kinds=["pods"]) == PODS
    assert [key in PODS for key in (pod_key("web"), node_key("n"), namespace_key("shop"))] == [
        True,
        False,
        False,
    ]
    assert [PODS.shows(kind) for kind in (Kind.POD, Kind.NODE, Kind.NAMESPACE)] == [True, False, False]
    both = Filter.parse(["shop"], kinds=["namespaces", "nodes"])
    assert [
        key in both
        for key in (pod_key("web", "shop"), node_key("n"), namespace_key("shop"), namespace_key("b"))
    ] == [
        False,
        True,
        True,
        False,
    ]


def test_all_kinds_are_no_filter_and_so_is_none() -> None:
    assert Filter.parse(kinds=["pods", "nodes", "namespaces", "pods"]) == EVERYTHING
    assert Filter.parse(kinds=[]) == EVERYTHING
    assert all(EVERYTHING.shows(kind) for kind in Kind)


@pytest.mark.parametrize("kind", ["pod", "Pods", "", "deployments", "x" * 100])
def test_another_kind_is_refused_with_those_that_there_are(kind: str) -> None:
    with pytest.raises(InvalidMessageError, match="There is no such kind") as refused:
        Filter.parse(kinds=["pods", kind])
    assert refused.value.details == f"kinds: {kind[:80]!r} must be one of pods, nodes, namespaces"


def test_a_label_selector_is_for_pods_and_says_nothing_where_there_are_none() -> None:
    assert Filter.parse(labels="app=web").labels == Selector.parse("app = web")
    assert Filter.parse(labels="") == EVERYTHING
    assert Filter.parse(kinds=["nodes"], labels="app=web") == Filter(kinds=frozenset({Kind.NODE}))
    with pytest.raises(InvalidMessageError, match="A label selector cannot be read"):
        Filter.parse(labels="=web")


def test_a_query_has_kinds_and_labels_too_and_what_is_given_twice_adds_up() -> None:
    both = Filter.parse(kinds=["nodes", "pods"])
    assert of_query(kinds=["pods,nodes"]) == of_query(kinds=["pods", "nodes", ""]) == both != EVERYTHING
    assert of_query(labels=["app=web", "", " ", "tier=front"]) == Filter.parse(labels="tier=front,app=web")
    assert of_query(labels=[""], kinds=[""]) == EVERYTHING
    with pytest.raises(InvalidMessageError, match="A label selector cannot be read"):
        of_query(labels=["app in (web", "db)"])


@pytest.mark.parametrize("text", ["a,b", "a ,b", " a, b "])
def test_a_space_beside_a_comma_says_nothing(text: str) -> None:
    assert Filter.of_query(lambda name: [text] if name == "namespaces" else []) == Filter.parse(["a", "b"])


@pytest.mark.parametrize("text", ["", " "])
def test_a_parameter_that_names_nothing_is_no_restriction(text: str) -> None:
    assert Filter.of_query(lambda name: [text] if name in ("namespaces", "kinds") else []) == EVERYTHING


def test_a_map_is_asked_for_by_its_detail() -> None:
    mapped = of_query(detail=["map"])
    assert (mapped.maps, mapped.remembers) == (True, True)
    assert of_query(detail=["whole"]) == of_query(detail=[""]) == EVERYTHING
    assert not EVERYTHING.remembers
    assert Filter.parse(labels="a=b").remembers
    with pytest.raises(InvalidMessageError) as refused:
        Filter.parse(detail="tiny")
    assert refused.value.details == "detail: 'tiny' must be one of whole, map"


def test_what_one_client_looks_at_is_no_other_clients() -> None:
    mapped = Filter.parse(detail="map")
    assert mapped.looking_at(["u"]) != mapped.looking_at(["u"])
    assert mapped.looking_at(["u"]).looking_at([]) == mapped
