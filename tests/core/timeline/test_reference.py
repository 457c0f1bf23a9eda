"""Names of objects are read as people, kubectl and our own answers write them."""

from __future__ import annotations

import pytest

from kstream.core.errors import UsageError
from kstream.core.insight.subjects import name_of
from kstream.core.timeline.events import Kind, ObjectKey
from kstream.core.timeline.reference import Named, kind_of, parse

POD, NODE, NAMESPACE = (
    Named(Kind.POD, "shop", "a"),
    Named(Kind.NODE, "", "n"),
    Named(Kind.NAMESPACE, "", "shop"),
)


@pytest.mark.parametrize(
    ("texts", "meant"),
    [
        ("pod/shop/a pods/shop/a po/shop/a Pod/shop/a", POD),
        ("node/n nodes/n no/n", NODE),
        ("namespace/shop namespaces/shop ns/shop", NAMESPACE),
        ("0b5c9a1e-uid x", None),
    ],
)
def test_kinds_may_be_plural_or_short_and_what_has_none_is_a_uid(texts: str, meant: Named | None) -> None:
    for text in texts.split():
        assert parse(text) == (meant or text)
        assert parse(f" {text}\n") == (meant or text)


@pytest.mark.parametrize("meant", [POD, NODE, NAMESPACE])
def test_what_findings_say_can_be_asked_for(meant: Named) -> None:
    assert parse(name_of(ObjectKey(meant.kind, meant.namespace, meant.name, "u"))) == meant


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pod/a", "'pod/a': a pod has a namespace"),
        ("pod/a/b/c", "a pod has a namespace"),
        ("pod//b", "a pod has a namespace"),
        ("node/a/b", "a node and a namespace have none"),
        ("ns/a/b", "a node and a namespace have none"),
        ("pod/", "give a uid, pod/NAMESPACE/NAME, node/NAME or namespace/NAME"),
        ("pod/shop/", "give a uid"),
        ("podss/shop/a", "give a uid"),
        ("service/a/b", "give a uid"),
        ("", "'': that names no object; give a uid"),
        (" ", "that names no object"),
        ("x" * 401, f"^'{'x' * 80}'…: that is longer than any name; give a uid"),
    ],
)
def test_what_is_no_name_is_refused_with_what_to_give(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse(text)


def test_a_kind_by_itself_is_read_the_same() -> None:
    assert [kind_of(word) for word in ("pods", "NO", "namespace", "service")] == [
        Kind.POD,
        Kind.NODE,
        Kind.NAMESPACE,
        None,
    ]


def test_the_longest_name_is_one() -> None:
    assert parse(f"pod/{'s' * 63}/{'n' * 253}") == Named(Kind.POD, "s" * 63, "n" * 253)
    assert parse("x" * 400) == "x" * 400
