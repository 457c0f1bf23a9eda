"""Lists: pages of one snapshot, and the versions that may be asked for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.timeline.events import Kind, Verb
from simulator.apiserver import listing, selectors
from simulator.apiserver.listing import Page, Token, make_token
from simulator.apiserver.requests import Ask, parse
from simulator.apiserver.statuses import StatusError
from simulator.apiserver.store import Store
from tests.simulator.apiserver.making import Writer


def _ask(path: str, query: dict[str, str]) -> Ask:
    ask = parse("GET", path, query)
    assert ask is not None
    return ask


def _page(store: Store, path: str = "/api/v1/pods", /, **query: Any) -> Page:
    ask = _ask(path, {key: str(value) for key, value in query.items()})
    return listing.page(store, ask, selectors.parse(ask))


def _pages(store: Store, path: str = "/api/v1/pods", /, **query: Any) -> list[Page]:
    pages = [_page(store, path, **query)]
    while pages[-1].next:
        pages.append(_page(store, path, **query | {"continue": pages[-1].next}))
    return pages


def _names(pages: list[Page]) -> list[str]:
    return [entry.key for page in pages for entry in page.entries]


@pytest.mark.parametrize("count", [0, 1, 4, 5, 6, 11])
def test_pages_hold_every_object_once_and_count_what_remains(count: int) -> None:
    writer = Writer()
    for number in range(count):
        writer.pod(f"pod-{number:02}")
    pages = _pages(writer.store, limit=5)
    assert _names(pages) == [f"shop/pod-{number:02}" for number in range(count)]
    assert [page.remaining for page in pages] == [*range(count - 5, 0, -5), None]
    for number, page in enumerate(pages[:-1], 2):
        following = _ask("/api/v1/pods", {"limit": "5", "continue": page.next})
        assert listing.page_number(writer.store, following) == number


@given(sizes=st.integers(1, 7), moves=st.lists(st.integers(0, 9), max_size=10))
@settings(max_examples=50, deadline=None)
def test_later_pages_are_of_the_first_ones_snapshot_whatever_is_written_meanwhile(
    sizes: int, moves: list[int]
) -> None:
    writer = Writer()
    for number in range(0, 20, 2):
        writer.pod(f"pod-{number:02}")
    before = [entry.key for entry in _page(writer.store).entries]
    pages = [_page(writer.store, limit=sizes)]
    for move in moves:
        there = writer.store.get(Kind.POD, "shop", f"pod-{move:02}") is not None
        writer.pod(f"pod-{move:02}", verb=Verb.DELETED if there else Verb.ADDED)
        if pages[-1].next:
            pages.append(_page(writer.store, **{"limit": sizes, "continue": pages[-1].next}))
    while pages[-1].next:
        pages.append(_page(writer.store, **{"limit": sizes, "continue": pages[-1].next}))
    assert _names(pages) == before
    assert {page.version for page in pages} == {10}


def test_the_same_token_twice_gives_the_same_page() -> None:
    writer = Writer()
    for number in range(4):
        writer.pod(f"pod-{number}")
    token = _page(writer.store, limit=2).next
    assert _page(writer.store, **{"limit": 2, "continue": token}) == _page(
        writer.store, **{"limit": 2, "continue": token}
    )


def test_a_token_whose_version_is_compacted_is_refused_with_one_that_goes_on_inconsistently() -> None:
    writer = Writer()
    for number in range(4):
        writer.pod(f"pod-{number}")
    token = _page(writer.store, limit=2).next
    writer.pod("pod-9")
    writer.store.compact()
    with pytest.raises(StatusError) as failure:
        _page(writer.store, **{"limit": 2, "continue": token})
    assert (failure.value.code, failure.value.reason) == (410, "Expired")
    assert failure.value.metadata is not None
    rest = _page(writer.store, **{"continue": failure.value.metadata["continue"]})
    assert _names([rest]) == ["shop/pod-2", "shop/pod-3", "shop/pod-9"]
    assert rest.version == 5


def test_pages_of_a_namespace_and_of_a_selector_hold_only_theirs() -> None:
    writer = Writer()
    for number in range(6):
        writer.pod(f"pod-{number}", namespace="shop" if number % 2 else "ads", labels={"n": str(number % 3)})
    assert _names(_pages(writer.store, "/api/v1/namespaces/ads/pods", limit=2)) == [
        "ads/pod-0",
        "ads/pod-2",
        "ads/pod-4",
    ]
    assert _names(_pages(writer.store, limit=1, labelSelector="n in (0,1)")) == [
        "ads/pod-0",
        "ads/pod-4",
        "shop/pod-1",
        "shop/pod-3",
    ]
    field = _pages(writer.store, limit=2, fieldSelector="metadata.namespace=shop")
    assert _names(field) == ["shop/pod-1", "shop/pod-3", "shop/pod-5"]
    assert field[0].remaining is None, "it is not told with a selector"


def test_versions_ask_for_exactly_that_state_or_for_one_that_is_not_older() -> None:
    writer = Writer()
    writer.pod("a")
    writer.pod("b")
    store = writer.store
    assert _names([_page(store, resourceVersion=1, resourceVersionMatch="Exact")]) == ["shop/a"]
    assert _names([_page(store, resourceVersion=1, limit=5)]) == ["shop/a"], "the older form of Exact"
    assert len(_page(store, resourceVersion=1).entries) == 2
    assert len(_page(store, resourceVersion=0, limit=1).entries) == 2, "any version is never cut into pages"
    assert len(_page(store, resourceVersion=2, resourceVersionMatch="NotOlderThan").entries) == 2


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        ({"resourceVersion": "9"}, 504, "Too large resource version: 9, current: 1"),
        ({"resourceVersion": "x"}, 500, "invalid syntax"),
        ({"resourceVersionMatch": "Exact"}, 422, "forbidden unless resourceVersion is provided"),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, 422, 'forbidden for resourceVersion "0"'),
        ({"resourceVersionMatch": "Newest", "resourceVersion": "1"}, 422, "Unsupported value"),
        ({"continue": "!"}, 400, "invalid continue token"),
        ({"continue": make_token(Token(0, "a"))}, 400, "incorrect encoded start resourceVersion"),
        (
            {"continue": make_token(Token(1, "a")), "resourceVersion": "1"},
            400,
            "not allowed when using continue",
        ),
        ({"limit": "many"}, 400, "invalid syntax"),
        ({"labelSelector": "a=(b"}, 400, "unable to parse requirement"),
        ({"fieldSelector": "spec.image=x"}, 400, "field label not supported: spec.image"),
    ],
)
def test_options_that_make_no_sense_are_refused(query: dict[str, str], code: int, text: str) -> None:
    writer = Writer()
    writer.pod("a")
    with pytest.raises(StatusError) as failure:
        _page(writer.store, **query)
    assert failure.value.code == code
    assert text in failure.value.message


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("app=web", "ab"),
        ("app==web,tier=front", "a"),
        ("app!=web", "cd"),
        ("app in (web, db)", "abc"),
        ("app notin (web)", "cd"),
        ("tier", "ac"),
        ("!tier", "bd"),
        ("weight>5", "c"),
        ("weight<5,app=db", ""),
    ],
)
def test_label_selectors_take_what_kubernetes_takes(selector: str, names: str) -> None:
    writer = Writer()
    writer.pod("a", labels={"app": "web", "tier": "front", "weight": "2"})
    writer.pod("b", labels={"app": "web"})
    writer.pod("c", labels={"app": "db", "tier": "back", "weight": "10"})
    writer.pod("d")
    assert _names([_page(writer.store, labelSelector=selector)]) == [f"shop/{name}" for name in names]


def test_field_selectors_look_into_the_object() -> None:
    writer = Writer()
    writer.pod("a", node="node-1")
    writer.pod("b", node="node-2")
    writer.pod("c")
    assert _names([_page(writer.store, fieldSelector="spec.nodeName=node-2")]) == ["shop/b"]
    assert _names([_page(writer.store, fieldSelector="spec.nodeName!=,metadata.name!=a")]) == ["shop/b"]


@pytest.mark.parametrize("text", ["9" * 20, "9" * 5_000, "-1", "1_0", " 1", "\u0663", "\u00b2", "1.5"])
def test_a_version_that_is_no_number_of_64_bits_is_refused_as_the_real_server_does(text: str) -> None:
    with pytest.raises(StatusError) as refused:
        _page(Writer().store, resourceVersion=text)
    assert refused.value.code == 500
    assert refused.value.message == (
        f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
    )


@pytest.mark.parametrize("text", ["9" * 19, "9" * 5_000, "1_0", " 1", "\u0663", "\u00b2", "1.5", "x"])
def test_a_limit_that_is_no_number_is_refused_and_is_on_a_later_page(text: str) -> None:
    with pytest.raises(StatusError) as refused:
        _page(Writer().store, limit=text)
    assert (refused.value.code, refused.value.message) == (
        400,
        f'strconv.ParseInt: parsing "{text}": invalid syntax',
    )


def test_a_limit_below_zero_is_none() -> None:
    writer = Writer()
    writer.pod("a")
    writer.pod("b")
    assert _names([_page(writer.store, limit=-1)]) == ["shop/a", "shop/b"]


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 3_000,
        b"\xff",
        b"[]",
        b'{"v":"meta.k8s.io/v1","rv":true,"start":"a"}',
        b'{"v":"meta.k8s.io/v1","rv":0,"start":"a"}',
        b'{"v":"meta.k8s.io/v1","rv":1,"start":""}',
        b'{"v":"meta.k8s.io/v2","rv":1,"start":"a"}',
    ],
)
def test_a_token_that_no_server_has_made_is_refused(content: bytes) -> None:
    with pytest.raises(StatusError) as refused:
        _page(Writer().store, **{"continue": listing.encoded(content)})
    assert refused.value.code == 400
    assert refused.value.message.startswith("invalid continue token: ")


def test_the_namespace_of_no_pod_is_not_that_of_all() -> None:
    writer = Writer()
    writer.pod("a")
    writer.pod("b", namespace="ads")
    assert _names([_page(writer.store, fieldSelector="metadata.namespace=")]) == []
    assert _names([_page(writer.store, fieldSelector="metadata.namespace=ads")]) == ["ads/b"]
    assert _names([_page(writer.store, fieldSelector="metadata.namespace=,metadata.namespace=ads")]) == []
