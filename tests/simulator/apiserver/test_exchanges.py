"""The fake server against what a real one answered to the same requests."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from simulator.apiserver.access import parse_tokens
from simulator.apiserver.recording import parse_recording
from simulator.apiserver.store import Store
from tests.recording import WIRE, exchanges
from tests.simulator.apiserver.making import Answer, Client, serving

CAPTURE = (WIRE / "incident.jsonl.gz").read_bytes()
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
TOKENS = ("admin=view", "viewer=view@shop")
REVIEW = json.dumps({"spec": {"resourceAttributes": {"verb": "watch", "resource": "pods"}}})
FAILURES = sorted(name for name, exchange in exchanges().items() if exchange["status"] >= 400)
WATCHES = sorted(
    name
    for name, exchange in exchanges().items()
    if "watch=1" in exchange["request"] and exchange["status"] == 200
)
LISTS = sorted(
    name
    for name, exchange in exchanges().items()
    if '"items"' in exchange["body"] and exchange["status"] == 200
)


def _final_store() -> Store:
    """The cluster as it was when the capture ended, which is a little before the exchanges."""
    store = Store()
    for change in parse_recording(CAPTURE).changes:
        store.apply(change)
    store.compact()
    store.advance(12638)  # the version of the last exchange: other kinds were written meanwhile
    return store


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    async with serving(_final_store(), access=parse_tokens(TOKENS)) as client:
        yield client


async def _repeat(client: Client, name: str) -> Answer:
    request = exchanges()[name]["request"]
    method, _, path = request.rpartition(" ")
    token = "viewer" if "forbidden" in name else "nope" if "bad token" in name else "admin"
    accept = TABLE if "Table" in name else "application/json"
    return await client.get(
        path, method=method or "GET", token=token, accept=accept, body=REVIEW if method == "POST" else ""
    )


def _shape(value: Any) -> Any:
    """A message without its numbers and tokens."""
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value]
    if isinstance(value, str):
        text = re.sub(r"eyJ\w+", "TOKEN", value)
        return re.sub(r"\(\d+\)|current: \d+", "N", text)
    return value


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_has_the_status_the_headers_and_the_text_of_a_real_one(
    client: Client, name: str
) -> None:
    real, ours = exchanges()[name], await _repeat(client, name)
    assert ours.status == real["status"]
    assert _shape(ours.json()) == _shape(json.loads(real["body"]))
    assert {key: ours.headers.get(key) for key in real["headers"]} == real["headers"]


@pytest.mark.parametrize("name", WATCHES)
async def test_a_watch_has_the_lines_of_a_real_one(client: Client, name: str) -> None:
    real, ours = exchanges()[name], await _repeat(client, name)
    expected = [json.loads(line) for line in real["body"].splitlines()]

    def told(lines: list[Any]) -> list[Any]:
        return [
            (
                line["type"],
                list(line["object"]),
                line["object"]["metadata"].get("annotations"),
                _shape(line["object"].get("message")),
            )
            for line in lines
        ]

    by_name = {line["object"]["metadata"].get("name"): line for line in ours.lines()}
    known = [line for line in expected if line["object"]["metadata"].get("name") in by_name]
    assert [kind for kind, *_ in told(expected)][-1:] == [kind for kind, *_ in told(ours.lines())][-1:]
    assert told(known) == told([by_name[line["object"]["metadata"].get("name")] for line in known])
    assert ours.headers["content-type"] == real["headers"]["content-type"]


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_has_the_fields_of_a_real_one(client: Client, name: str) -> None:
    real, ours = json.loads(exchanges()[name]["body"]), await _repeat(client, name)
    body = ours.json()
    assert ours.status == 200, ours.body
    assert list(body) == list(real)
    assert body["kind"] == real["kind"]
    assert list(body["items"][0]) == list(real["items"][0])
    if "second page" not in name:  # its token is of another server's history
        assert list(body["metadata"]) == list(real["metadata"])


async def test_a_continue_token_has_the_form_of_a_real_one(client: Client) -> None:
    def content(token: str) -> Any:
        return json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))

    name = "first page of pods, limit 1"
    real = content(json.loads(exchanges()[name]["body"])["metadata"]["continue"])
    ours = content((await _repeat(client, name)).json()["metadata"]["continue"])
    assert list(ours) == list(real)
    assert ours["v"] == real["v"]
    assert re.fullmatch(r"/hello-[^/]+\x00", ours["start"]), "relative to the namespace, as the real one"


async def test_a_table_has_the_columns_of_a_real_one(client: Client) -> None:
    name = "pods as a Table"
    real, ours = json.loads(exchanges()[name]["body"]), (await _repeat(client, name)).json()
    assert list(ours) == list(real)

    def columns(table: Any) -> Any:
        keys = ("name", "type", "format", "priority")
        return [{key: column[key] for key in keys} for column in table["columnDefinitions"]]

    assert columns(ours) == columns(real)
    assert list(ours["rows"][0]) == list(real["rows"][0])
    assert list(ours["rows"][0]["object"]) == list(real["rows"][0]["object"])


async def test_discovery_describes_what_is_served_as_a_real_server_does(client: Client) -> None:
    real = {item["name"]: item for item in json.loads(exchanges()["core resources"]["body"])["resources"]}
    ours = (await _repeat(client, "core resources")).json()
    for resource in ours["resources"]:
        told = real[resource["name"]]
        assert all(resource[key] == told[key] for key in resource if key != "verbs")
        assert set(resource["verbs"]) == {"get", "list", "watch"} <= set(told["verbs"])
    for name in ("api versions", "groups"):
        assert list((await _repeat(client, name)).json()) == list(json.loads(exchanges()[name]["body"]))


async def test_version_and_a_review_have_the_fields_that_clients_read(client: Client) -> None:
    version = (await _repeat(client, "version")).json()
    assert version["gitVersion"] == "v1.36.0"
    assert (version["major"], version["minor"]) == ("1", "36")
    review = await _repeat(client, "may I watch pods? (SelfSubjectAccessReview)")
    assert review.status == 201
    assert review.json()["status"] == {"allowed": True}
    denied = await client.get(
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", method="POST", token="viewer", body=REVIEW
    )
    assert denied.json()["status"] == {"allowed": False}


async def test_the_identity_of_the_cluster_is_that_of_the_capture(client: Client) -> None:
    name = "kube-system namespace (its uid is the cluster's identity)"
    assert (await _repeat(client, name)).json() == json.loads(exchanges()[name]["body"])
