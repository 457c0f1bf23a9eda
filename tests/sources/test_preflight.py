from __future__ import annotations

import json
from pathlib import Path

import pytest
from aiohttp import web

from kstream.clock import VirtualClock
from kstream.sources.kubeconfig import KubeSettings
from kstream.sources.preflight import Finding, preflight
from tests.scripted import Reply, ScriptedServer, answer, kubeconfig, refused

REVIEW = "post /apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def review(*denied: tuple[str, str]) -> Reply:
    """Allows all but these (verb, resource or resource/namespace)."""

    async def reply(request: web.Request) -> web.StreamResponse:
        asked = json.loads(await request.read())["spec"]["resourceAttributes"]
        name = "/".join([asked["resource"], *([asked["namespace"]] if "namespace" in asked else [])])
        return web.json_response({"status": {"allowed": (asked["verb"], name) not in denied}}, status=201)

    return reply


async def look(server: ScriptedServer, folder: Path, *namespaces: str) -> list[Finding]:
    async with server.running():
        config = kubeconfig(folder / "config", server.url)
        return await preflight(KubeSettings(kubeconfig=str(config), namespaces=namespaces), VirtualClock())


async def test_all_is_well(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on(REVIEW, *[review()] * 6)
    findings = await look(server, tmp_path)
    assert all(finding.ok and not finding.exit_code for finding in findings)
    assert [finding.what for finding in findings] == [
        "kubeconfig",
        "cluster",
        *(f"{verb} {resource}" for resource in ("nodes", "namespaces", "pods") for verb in ("list", "watch")),
    ]
    assert "v1.29.0" in findings[1].cause


async def test_each_missing_permission_is_named_with_its_remedy(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on(REVIEW, *[review(("watch", "pods/shop"), ("list", "nodes"))] * 6)
    server.on("get namespaces/shop", refused(403, "Forbidden"))
    bad = [finding for finding in await look(server, tmp_path, "shop") if not finding.ok]
    assert [(finding.cause, finding.exit_code) for finding in bad] == [
        ("Missing 'list' permission on 'nodes'", 5),
        ("Missing 'watch' permission on 'pods' in namespace 'shop'", 5),
    ]
    assert all(finding.remedy for finding in bad)


async def test_a_namespace_that_is_not_there_is_named_with_its_remedy(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on(REVIEW, *[review()] * 8)
    server.on("get namespaces/shpo", refused(404, "NotFound"))
    [bad] = [finding for finding in await look(server, tmp_path, "shop", "shpo") if not finding.ok]
    assert (bad.what, bad.cause, bad.exit_code) == (
        "namespace 'shpo'",
        "There is none of that name in the cluster",
        3,
    )
    assert "correct --namespace" in bad.remedy


async def test_a_namespace_that_could_not_be_asked_for_is_unreachable(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on(REVIEW, *[review()] * 6)
    server.on("get namespaces/shop", refused(500, "InternalError", "etcd is away"))
    [bad] = [finding for finding in await look(server, tmp_path, "shop") if not finding.ok]
    assert (bad.what, bad.exit_code) == ("namespace 'shop'", 4)
    assert "etcd is away" in bad.cause


async def test_reviews_that_are_refused_are_said_to_be(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on(REVIEW, *[refused(403, "Forbidden", "no reviews")] * 6)
    bad = [finding for finding in await look(server, tmp_path) if not finding.ok]
    assert len(bad) == 6
    assert "no reviews" in bad[0].cause


async def test_a_server_that_does_not_know_us_is_forbidden(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on("get /version", refused(401, "Unauthorized"))
    *_, last = await look(server, tmp_path)
    assert (last.what, last.ok, last.exit_code) == ("cluster", False, 5)


async def test_an_address_where_nobody_listens_is_unreachable(tmp_path: Path) -> None:
    config = kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    *_, last = await preflight(KubeSettings(kubeconfig=str(config)), VirtualClock())
    assert (last.what, last.exit_code) == ("cluster", 4)
    assert "127.0.0.1:1" in last.cause


async def test_something_else_than_kubernetes_is_said_to_be(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on("get /version", answer(b"<html>hello</html>"))
    *_, last = await look(server, tmp_path)
    assert "no Kubernetes API server" in last.cause


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (answer(b"not found", status=404), "is no Kubernetes API server: it has no /version"),
        (answer(b'{"name": "kstream"}'), "is no Kubernetes API server: its /version names no version of one"),
        (
            answer(b"Client sent an HTTP request to an HTTPS server.\n", status=400),
            "it speaks TLS: server in the kubeconfig has to begin with https://",
        ),
    ],
)
async def test_what_has_no_version_of_kubernetes_is_not_asked_for_permissions(
    tmp_path: Path, reply: Reply, cause: str
) -> None:
    server = ScriptedServer()
    server.on("get /version", reply)
    *_, last = await look(server, tmp_path)
    assert (last.what, last.exit_code) == ("cluster", 4)
    assert cause in last.cause


async def test_a_server_without_reviews_is_not_said_to_forbid_them(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on(REVIEW, *[answer(b"no such page", status=404)] * 6)
    *_, last = await look(server, tmp_path)
    assert (last.exit_code, last.cause) == (4, "It could not be asked: 404")
    assert "perhaps this is a part of a Kubernetes API" in last.remedy


async def test_of_an_answer_without_end_no_more_is_read_than_of_a_long_one(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on(REVIEW, *[answer(b" " * (5 << 20), status=201)] * 6)
    *_, last = await look(server, tmp_path)
    assert last.cause.startswith("It could not be asked: the answer to /apis/authorization.k8s.io")
    assert last.cause.endswith(" is longer than 4 MiB")


async def test_a_missing_kubeconfig_ends_it(tmp_path: Path) -> None:
    [finding] = await preflight(KubeSettings(kubeconfig=str(tmp_path / "none")), VirtualClock())
    assert (finding.what, finding.ok, finding.exit_code) == ("kubeconfig", False, 3)


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"<html>", "JSON is malformed: invalid character (byte 0)"),
        (b'{"status": {"allowed": "yes"}}', "Expected `bool`, got `str` - at `$.status.allowed`"),
        (
            b'{"status": {"reason": "\xff"}}',
            "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
        (b'{"x": ' + b"[" * 100_000, "JSON is nested too deeply"),
    ],
)
async def test_a_review_that_cannot_be_read_allows_nothing(tmp_path: Path, body: bytes, cause: str) -> None:
    server = ScriptedServer()
    server.on(REVIEW, *[answer(body, status=201)] * 6)
    *_, last = await look(server, tmp_path)
    assert last == Finding(
        "watch pods", False, f"The answer cannot be read: {cause}", "Look for a proxy in between", 1
    )
