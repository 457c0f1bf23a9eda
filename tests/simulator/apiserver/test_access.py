"""Tokens and roles, and the reviews that tell of them."""

from __future__ import annotations

import pytest

from kstream.core.errors import ConfigError
from simulator.apiserver.access import ANONYMOUS, Access, parse_tokens, review, rules
from simulator.apiserver.protobuf import read_review
from simulator.apiserver.statuses import StatusError
from tests.simulator.apiserver.making import Writer, serving


def _may(access: Access, user: str, verb: str, resource: str, namespace: str = "") -> bool:
    return access.allows(user, verb=verb, resource=resource, namespace=namespace)


def test_without_tokens_everyone_may_read_and_nobody_write() -> None:
    access = Access()
    assert access.user("") == ANONYMOUS
    assert _may(access, ANONYMOUS, "watch", "nodes")
    assert not _may(access, ANONYMOUS, "delete", "pods")


def test_a_token_is_known_until_it_expires_and_again_when_it_is_renewed() -> None:
    access = parse_tokens(["viewer=view"])
    assert access.user("Bearer viewer") == "viewer"
    assert [access.user(header) for header in ("", "Bearer other", "Basic viewer")] == [None, None, None]
    access.expire("viewer")
    assert access.user("Bearer viewer") is None
    access.renew("viewer")
    assert access.user("bearer viewer") == "viewer"


def test_roles_reach_as_far_as_they_say() -> None:
    access = parse_tokens(["a=view@shop,list+watch:nodes", "b=get:pods", "c=*:namespaces", "d=none"])
    assert _may(access, "a", "list", "pods", "shop")
    assert not _may(access, "a", "list", "pods", "ads")
    assert not _may(access, "a", "list", "pods")
    assert _may(access, "a", "watch", "nodes")
    assert not _may(access, "a", "get", "nodes")
    assert _may(access, "b", "get", "pods", "shop")
    assert not _may(access, "b", "list", "pods")
    assert _may(access, "c", "watch", "namespaces")
    assert not _may(access, "d", "list", "pods")


def test_a_role_may_be_granted_later() -> None:
    access = parse_tokens(["a=none"])
    assert not _may(access, "a", "list", "pods")
    access.grant("a", parse_tokens(["x=view"]).roles("x"))
    assert _may(access, "a", "list", "pods")


@pytest.mark.parametrize("text", ["viewer", "=view", "a=vieww", "a=list:podz", "a=fly:pods", "a=list"])
def test_a_token_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"NAME=ROLE|not a role"):
        parse_tokens([text])


def test_the_rules_of_a_user_are_those_of_the_cluster_and_of_the_namespace() -> None:
    access = parse_tokens(["a=view@shop,list:nodes,get:pods@ads"])
    told = rules(access, "a", {"spec": {"namespace": "shop"}})["status"]["resourceRules"]
    assert [(rule["verbs"], rule["resources"]) for rule in told] == [
        (["get", "list", "watch"], ["*"]),
        (["list"], ["nodes"]),
    ]


def test_a_review_of_another_group_is_a_no() -> None:
    access = parse_tokens(["a=view"])
    asked = {"verb": "list", "resource": "deployments", "group": "apps"}
    assert review(access, "a", {"spec": {"resourceAttributes": asked}})["status"] == {"allowed": False}


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def _envelope(kind: bytes, spec: bytes) -> bytes:
    meta = _field(1, b"authorization.k8s.io/v1") + _field(2, kind)
    return b"k8s\x00" + _field(1, meta) + _field(2, _field(1, b"") + _field(2, spec))


def test_reviews_are_read_from_the_encoding_of_kubectl() -> None:
    attributes = _field(1, b"shop") + _field(2, b"list") + _field(5, b"pods")
    read = read_review(_envelope(b"SelfSubjectAccessReview", _field(1, attributes)))
    assert read["spec"] == {"resourceAttributes": {"namespace": "shop", "verb": "list", "resource": "pods"}}
    path = read_review(
        _envelope(b"SelfSubjectAccessReview", _field(2, _field(1, b"/version") + _field(2, b"get")))
    )
    assert path["spec"] == {"nonResourceAttributes": {"path": "/version", "verb": "get"}}
    assert read_review(_envelope(b"SelfSubjectRulesReview", _field(1, b"shop")))["spec"] == {
        "namespace": "shop"
    }


@pytest.mark.parametrize("content", [b"", b"k8s", b"k8s\x00\x0a\xff", b"k8s\x00\x12\x05ab"])
def test_what_is_no_review_is_refused(content: bytes) -> None:
    with pytest.raises(StatusError, match="no Kubernetes protobuf"):
        read_review(content)


async def test_a_namespace_may_be_read_by_whom_it_is_granted_to() -> None:
    writer = Writer()
    writer.namespace("shop")
    writer.namespace("ads")
    writer.pod("a")
    access = parse_tokens(["viewer=view@shop"])
    async with serving(writer.store, access=access) as client:
        told = {
            path: (await client.get(f"/api/v1/{path}", token="viewer")).status
            for path in (
                "namespaces/shop",
                "namespaces/ads",
                "namespaces",
                "namespaces/shop/pods/a",
                "pods",
                "nodes",
            )
        }
    assert told == {
        "namespaces/shop": 200,
        "namespaces/ads": 403,
        "namespaces": 403,
        "namespaces/shop/pods/a": 200,
        "pods": 403,
        "nodes": 403,
    }
