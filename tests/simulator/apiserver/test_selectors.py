"""Label and field selectors: what they choose, and what they are refused with."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from simulator.apiserver.requests import parse as asked
from simulator.apiserver.selectors import Selector, Term, parse
from simulator.apiserver.statuses import StatusError
from simulator.apiserver.store import Entry


def selector(path: str = "/api/v1/pods", **query: str) -> Selector:
    ask = asked("GET", path, query)
    assert ask is not None
    return parse(ask)


def pod(labels: dict[str, str] | None = None, **spec: Any) -> Entry:
    content = {"metadata": {"name": "a", "namespace": "shop", "labels": labels}, "spec": spec}
    return Entry("shop/a", 1, msgspec.json.encode(content))


@pytest.mark.parametrize(
    ("text", "labels", "taken"),
    [
        ("app", {"app": ""}, True),
        ("app", {}, False),
        ("!app", {"app": "x"}, False),
        ("! app", None, True),
        ("app=x", {"app": "x"}, True),
        ("app==x", {"app": "y"}, False),
        ("app=", {"app": ""}, True),
        ("app!=x", {"app": "y"}, True),
        ("app!=x", {}, True),
        ("app!=x", {"app": "x"}, False),
        ("app in (x, y)", {"app": "y"}, True),
        ("app in (x,y)", {}, False),
        ("app notin (x,y)", {"app": "z"}, True),
        ("app notin (x,y)", {"app": "x"}, False),
        ("app notin (x)", {}, True),
        ("n>1", {"n": "2"}, True),
        ("n > 1", {"n": "1"}, False),
        ("n<-1", {"n": "-2"}, True),
        ("n<1", {"n": "one"}, False),
        ("n<1", {}, False),
        ("app=x,tier in (a,b),!old", {"app": "x", "tier": "b"}, True),
        ("app=x,tier in (a,b),!old", {"app": "x", "tier": "b", "old": ""}, False),
        (" , app=x , ", {"app": "x"}, True),
        ("acme.com/app=x", {"acme.com/app": "x"}, True),
    ],
)
def test_all_requirements_of_a_label_selector_hold(
    text: str, labels: dict[str, str] | None, taken: bool
) -> None:
    assert selector(labelSelector=text).takes(pod(labels)) is taken


@pytest.mark.parametrize(
    "text", ["a b", "a=b=c", "=x", "a in", "a in x", "a in (x", "(x)", "a>b", "a>1.5", "!", "a,=b"]
)
def test_a_requirement_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(StatusError) as refused:
        selector(labelSelector=text)
    wrong = text.rpartition(",")[2]
    assert (refused.value.code, refused.value.message) == (
        400,
        f'unable to parse requirement: found "{wrong}" in "{text}", expected a requirement',
    )


@pytest.mark.parametrize(
    ("text", "spec", "taken"),
    [
        ("spec.nodeName=n", {"nodeName": "n"}, True),
        ("spec.nodeName!=n", {"nodeName": "n"}, False),
        ("spec.nodeName=", {}, True),
        ("spec.nodeName==n,metadata.name=a", {"nodeName": "n"}, True),
        ("metadata.name=b", {}, False),
        ("spec.hostNetwork=true", {"hostNetwork": True}, True),
        ("spec.hostNetwork=false", {}, True),
        ("status.phase=", {}, True),
    ],
)
def test_a_field_selector_compares_text_and_what_is_missing_is_empty(
    text: str, spec: dict[str, Any], taken: bool
) -> None:
    assert selector(fieldSelector=text).takes(pod(None, **spec)) is taken


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("/api/v1/pods", "spec.image=x", "field label not supported: spec.image"),
        ("/api/v1/nodes", "spec.nodeName=x", "field label not supported: spec.nodeName"),
        ("/api/v1/pods", "a in (b)", "invalid selector: 'a in (b)'; can't understand 'a in (b)'"),
    ],
)
def test_a_field_that_cannot_be_selected_is_refused(path: str, text: str, said: str) -> None:
    with pytest.raises(StatusError) as refused:
        selector(path, fieldSelector=text)
    assert (refused.value.code, refused.value.message) == (400, said)


def test_one_namespace_is_sought_and_not_tried() -> None:
    found = selector(fieldSelector="metadata.namespace=shop,metadata.name=a")
    assert found == Selector([], [Term("metadata.name", "in", frozenset({"a"}))], "shop", True)
    within = selector("/api/v1/namespaces/ads/pods", fieldSelector="metadata.namespace=shop")
    assert (within.namespace, within.takes(pod())) == ("", True), (
        "it is compared where one is asked for already"
    )
    other = selector(fieldSelector="metadata.namespace!=shop")
    assert (other.namespace, other.takes(pod())) == ("", False)
    none = selector(fieldSelector="metadata.namespace=")
    assert (none.namespace, none.everything, none.takes(pod())) == ("", False, False)


def test_without_a_selector_everything_is_chosen_and_nothing_was_given() -> None:
    none, empty = selector(), selector(labelSelector=" ,")
    assert (none.everything, none.given) == (True, False)
    assert (empty.everything, empty.given) == (True, True)
