"""Tokens and roles, and the reviews that tell of them."""

from __future__ import annotations

import pytest

from kstream.core.errors import ConfigError
from simulator.apiserver.access import ANONYMOUS, Access, parse_tokens, read_review, review, rules
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


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the body is no JSON: Input data was truncated"),
        (
            b'"\xff"',
            "the body is no JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
        (b"[" * 3_000, "the body is no JSON that can be read: it is nested too deeply"),
        (b"[]", "the body is no object"),
        (b'{"spec": ["x"]}', "spec is no object"),
        (b'{"spec": {"namespace": 1}}', "spec.namespace is no string"),
        (b'{"spec": {"nonResourceAttributes": 1}}', "spec.nonResourceAttributes is no object"),
        (b'{"spec": {"resourceAttributes": "x"}}', "spec.resourceAttributes is no object"),
        (
            b'{"spec": {"resourceAttributes": {"verb": ["list"]}}}',
            "spec.resourceAttributes.verb is no string",
        ),
        (
            b'{"spec": {"resourceAttributes": {"resource": {}}}}',
            "spec.resourceAttributes.resource is no string",
        ),
    ],
)
async def test_a_body_that_is_no_review_is_refused_for_what_it_is(body: bytes, why: str) -> None:
    with pytest.raises(StatusError) as refused:
        read_review(body, "application/json")
    assert (refused.value.code, refused.value.message) == (400, why)
    async with serving(Writer().store) as client:
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        headers = {"Content-Type": "application/json"}
        async with client.session.post(f"{client.server.url}{path}", data=body, headers=headers) as answer:
            assert (answer.status, (await answer.json())["message"]) == (400, why)


def test_null_in_a_review_is_the_same_as_not_there() -> None:
    access = parse_tokens(["viewer=view"])
    body = read_review(
        b'{"spec": {"resourceAttributes": {"verb": "list", "namespace": null}}}', "application/json"
    )
    assert review(access, "viewer", body)["status"] == {"allowed": True}
    for empty in (b"{}", b'{"spec": null}', b'{"spec": {"resourceAttributes": null, "namespace": null}}'):
        body = read_review(empty, "application/json")
        assert review(access, "viewer", body)["status"] == {"allowed": False}
        assert len(rules(access, "viewer", body)["status"]["resourceRules"]) == 1


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
