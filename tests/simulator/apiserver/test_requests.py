"""What a request asks for, by its method, path and query."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from simulator.apiserver.kinds import RESOURCES
from simulator.apiserver.requests import Ask, Seen, is_true, parse

NONE: Mapping[str, str] = {}
PODS, NODES, NAMESPACES = (RESOURCES[name] for name in ("pods", "nodes", "namespaces"))


@pytest.mark.parametrize(
    ("path", "query", "ask"),
    [
        ("/api/v1/pods", NONE, Ask("list", PODS, "", "", NONE)),
        ("/api/v1/pods/", {"limit": "1"}, Ask("list", PODS, "", "", {"limit": "1"})),
        ("/api/v1/pods", {"watch": "true"}, Ask("watch", PODS, "", "", {"watch": "true"})),
        ("/api/v1/pods", {"watch": "false"}, Ask("list", PODS, "", "", {"watch": "false"})),
        ("/api/v1/watch/pods", NONE, Ask("watch", PODS, "", "", NONE)),
        ("/api/v1/namespaces/shop/pods", NONE, Ask("list", PODS, "shop", "", NONE)),
        ("/api/v1/namespaces/shop/pods/a", NONE, Ask("get", PODS, "shop", "a", NONE)),
        ("/api/v1/watch/namespaces/shop/pods/a", NONE, Ask("watch", PODS, "shop", "a", NONE)),
        ("/api/v1/nodes/n", NONE, Ask("get", NODES, "", "n", NONE)),
        ("/api/v1/namespaces", NONE, Ask("list", NAMESPACES, "", "", NONE)),
        ("/api/v1/namespaces/shop", NONE, Ask("get", NAMESPACES, "", "shop", NONE)),
        ("/api/v1/namespaces/pods", NONE, Ask("get", NAMESPACES, "", "pods", NONE)),
    ],
)
def test_a_path_is_for_objects(path: str, query: Mapping[str, str], ask: Ask) -> None:
    assert parse("GET", path, query) == parse("HEAD", path, query) == ask
    assert parse("POST", path, query) is None


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/api", "/api/v1", "/api/v2/pods", "/apis/v1/pods", "/api/v1/services", "/api/v1/watch"),
        *("/api/v1/pods/a", "/api/v1//pods", "/api/v1/namespaces//pods", "/api/v1/namespaces/shop/nodes"),
        *("/api/v1/namespaces/shop/services", "/api/v1/namespaces/shop/pods/a/log", "/api/v1/nodes/n/proxy"),
    ],
)
def test_a_path_to_nothing_that_is_there_is_for_no_object(path: str) -> None:
    assert parse("GET", path, NONE) is None


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("1", True),
        ("t", True),
        ("TRUE", True),
        ("true", True),
        ("True", True),
        ("yes", False),
        ("", False),
        (None, False),
    ],
)
def test_true_is_what_go_takes_for_it(text: str | None, true: bool) -> None:
    assert is_true(text) is true


def test_a_scope_is_said_as_errors_say_it() -> None:
    assert Ask("list", PODS, "shop", "", NONE).scope == 'in the namespace "shop"'
    assert Ask("list", PODS, "", "", NONE).scope == "at the cluster scope"


@pytest.mark.parametrize(("query", "target"), [({}, "/p"), ({"a": "1", "b": ""}, "/p?a=1&b=")])
def test_a_request_is_remembered_with_its_query(query: dict[str, str], target: str) -> None:
    seen = Seen(1, 0.0, "GET", "/p", query, {}, "", "list", "pods", "", "")
    assert seen.target == target
