"""What the HTTP reads of history say is what a fold of every event says (PROTOCOL 32)."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.delivery.filters import Filter
from kstream.core.timeline.events import ObjectKey, Verb, WatchEvent, deleted_body
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.memory import MemoryLog
from kstream.web.reads import Reads
from tests.making import START, body_of, change, labelled, namespace_key, node_key, pod_key
from tests.web.serving import serving


async def ask(reads: Reads, path: str, writer: AbstractStreamWriter | None = None) -> tuple[int, Any]:
    """Status and JSON of the answer to a path, as the router would find it."""
    request = (
        make_mocked_request("GET", path)
        if writer is None
        else make_mocked_request("GET", path, writer=writer)
    )
    (route,) = [
        route
        for route in reads.routes()
        if isinstance(route, web.RouteDef) and _fits(route.path, request.path)
    ]
    if "{uid}" in route.path:
        request.match_info["uid"] = request.path.split("/")[3]
    answer = await route.handler(request)
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    return answer.status, json.loads(answer.body)


def _fits(template: str, path: str) -> bool:
    return len(template.split("/")) == len(path.split("/")) and template.split("/")[2] == path.split("/")[2]


def reads_of(log: MemoryLog) -> Reads:
    return Reads(log, time=lambda: START + 10_000.0)


POD, NODE = pod_key("p", "shop"), node_key("n")


async def a_log() -> MemoryLog:
    """A node and a pod that changes, a second between events."""
    log = MemoryLog(epoch="e")
    bodies = [labelled("p", {"app": app}, namespace="shop") for app in ("db", "web", "web2")]
    facts = [
        WatchEvent(Verb.ADDED, NODE, "1", 0, body_of(NODE)),
        WatchEvent(Verb.ADDED, POD, "2", 0, bodies[0]),
        WatchEvent(Verb.MODIFIED, POD, "3", 0, bodies[1]),
        WatchEvent(Verb.MODIFIED, POD, "4", 0, bodies[2]),
        WatchEvent(Verb.DELETED, POD, "5", 0, deleted_body(POD)),
    ]
    for second, fact in enumerate(facts, 1):
        at = WatchEvent(fact.verb, fact.key, fact.version, START + second, fact.body)
        await log.append([at])
    return log


async def test_what_is_different_is_told_with_the_moments_between_which_it_is() -> None:
    _, told = await ask(reads_of(await a_log()), "/api/diff?from=seq:2&to=seq:3")
    assert told == {
        "type": "diff",
        "from": {"seq": 2, "time": timestamp(START + 2)},
        "to": {"seq": 3, "time": timestamp(START + 3)},
        "changes": [
            {
                "action": "MODIFIED",
                "kind": "pod",
                "namespace": "shop",
                "name": "p",
                "uid": POD.uid,
                "changes": [{"path": "labels.app", "before": "db", "after": "web"}],
            }
        ],
    }


async def test_an_object_that_begins_or_ceases_to_match_came_or_went() -> None:
    reads = reads_of(await a_log())
    for query, actions in (
        ("from=seq:2&to=seq:3&labels=app%3Dweb", ["ADDED"]),
        ("from=seq:3&to=seq:4&labels=app%3Dweb", ["DELETED"]),
        ("from=seq:2&to=seq:4&labels=app%3Dweb", []),
        ("from=seq:0&to=seq:2&kinds=nodes", ["ADDED"]),
        ("", ["ADDED"]),
    ):
        _, told = await ask(reads, f"/api/diff?{query}")
        assert [each["action"] for each in told["changes"]] == actions, query


async def test_events_are_the_messages_of_the_socket_and_a_cursor_goes_on() -> None:
    reads = reads_of(await a_log())
    _, first = await ask(reads, "/api/events?limit=2")
    assert ([each["type"] for each in first["data"]], first["cursor"]) == (
        ["node_event", "pod_event"],
        "seq:2",
    )
    _, second = await ask(reads, f"/api/events?limit=2&cursor={first['cursor']}")
    assert ([(each["action"], each["seq"]) for each in second["data"]], second["cursor"]) == (
        [("MODIFIED", 3), ("MODIFIED", 4)],
        "seq:4",
    )
    _, third = await ask(reads, "/api/events?limit=1&cursor=seq:4")
    assert ([each["action"] for each in third["data"]], third["cursor"]) == (["DELETED"], None)
    _, narrow = await ask(reads, "/api/events?labels=app%3Dweb&kinds=pods")
    assert [(each["action"], each["seq"]) for each in narrow["data"]] == [("ADDED", 3), ("DELETED", 4)]
    _, timed = await ask(reads, f"/api/events?since={timestamp(START + 2)}&until={timestamp(START + 3.5)}")
    assert [each["seq"] for each in timed["data"]] == [3]


async def test_as_ndjson_each_event_is_a_line_and_the_last_one_says_how_to_go_on() -> None:
    request = make_mocked_request("GET", "/api/events?limit=2", headers={"Accept": "application/x-ndjson"})
    answer = await reads_of(await a_log()).events(request)
    assert isinstance(answer, web.Response)
    assert isinstance(answer.body, bytes)
    assert (answer.content_type, answer.body[-1:]) == ("application/x-ndjson", b"\n")
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert [line["type"] for line in lines] == ["node_event", "pod_event", "end"]
    assert lines[-1]["cursor"] == "seq:2"


async def test_the_history_of_an_object_tells_what_changed_from_version_to_version() -> None:
    reads = reads_of(await a_log())
    _, told = await ask(reads, f"/api/objects/{POD.uid}/history")
    assert (told["kind"], told["namespace"], told["name"], told["cursor"]) == ("pod", "shop", "p", None)
    assert [(each["seq"], each["action"], each["version"]) for each in told["versions"]] == [
        (2, "ADDED", "2"),
        (3, "MODIFIED", "3"),
        (4, "MODIFIED", "4"),
        (5, "DELETED", "5"),
    ]
    assert told["versions"][2]["changes"] == [{"path": "labels.app", "before": "web", "after": "web2"}]
    _, later = await ask(reads, f"/api/objects/{POD.uid}/history?since=seq:3&limit=1")
    assert (later["versions"], later["cursor"]) == (told["versions"][2:3], "seq:4"), (
        "compared with what was before"
    )
    status, unknown = await ask(reads, "/api/objects/nobody/history")
    assert (status, unknown["error"]["code"]) == (404, "NOT_FOUND")
    for query in ("cursor=seq:5", "since=seq:5", "cursor=seq:5&limit=1"):
        status, told = await ask(reads, f"/api/objects/{POD.uid}/history?{query}")
        assert (status, told["versions"], told["cursor"]) == (200, [], None), "no more of it, and no error"


@pytest.mark.parametrize(
    ("path", "status", "details"),
    [
        ("/api/events?limit=0", 400, "limit: '0' must be a number from 1 to 10000"),
        ("/api/events?limit=10001", 400, "limit: '10001' must be"),
        ("/api/events?limit=many", 400, "limit: 'many' must be"),
        ("/api/events?since=yesterday", 400, "since: 'yesterday': give"),
        ("/api/events?until=seq:6", 400, "until: 'seq:6': the last one is seq:5"),
        ("/api/events?since=seq:4&until=seq:3", 400, "until: seq:3 is before since, which is seq:4"),
        ("/api/events?cursor=seq:4&until=seq:3", 400, "until: seq:3 is before cursor"),
        ("/api/objects/u/history?since=seq:4&until=seq:3", 400, "until: seq:3 is before since"),
        ("/api/diff?from=seq:4&to=seq:3", 400, "to: seq:3 is before from, which is seq:4"),
        ("/api/diff?from=-10s&to=-20s", 400, "to: seq:5 is before from"),
        (
            "/api/events?from=seq:4",
            400,
            "'from': /api/events takes since, until, limit, cursor, namespaces, kinds, labels",
        ),
        ("/api/diff?since=seq:4", 400, "'since': /api/diff takes from, to, namespaces, kinds, labels"),
        (
            "/api/objects/u/history?kind=pods",
            400,
            "'kind': /api/objects/u/history takes since, until, limit, cursor",
        ),
        ("/api/diff?from=x", 400, "from: 'x': give"),
        ("/api/diff?labels=%3D", 400, "labels: '=' stands"),
        ("/api/objects/u/history?cursor=seq:99", 400, "cursor: 'seq:99': the last one"),
    ],
)
async def test_what_is_wrong_is_named(path: str, status: int, details: str) -> None:
    found, told = await ask(reads_of(await a_log()), path)
    assert found == status
    assert told["error"]["details"].startswith(details)


async def test_after_the_last_event_nothing_has_happened_yet() -> None:
    status, told = await ask(reads_of(await a_log()), "/api/events?since=-1s")
    assert (status, told["data"], told["cursor"]) == (200, [], None)


async def test_a_moment_outside_of_the_timeline_is_told_as_the_end_that_it_is() -> None:
    _, told = await ask(
        reads_of(await a_log()), "/api/diff?from=2020-01-01T00:00:00Z&to=2030-01-01T00:00:00Z"
    )
    assert (told["from"], told["to"]) == (
        {"seq": 0, "time": timestamp(START + 1)},
        {"seq": 5, "time": timestamp(START + 10_000)},
    )


async def test_what_retention_dropped_is_gone_and_said_to_be() -> None:
    log = await a_log()
    await log.trim(4)
    reads = reads_of(log)
    status, told = await ask(reads, "/api/events?since=seq:1")
    assert (status, told["error"]["code"]) == (410, "NO_LONGER_KEPT")
    assert "the log begins at 4" in told["error"]["details"]
    for path in ("/api/events?since=", "/api/diff?from=", "/api/diff?to=", "/api/objects/u/history?until="):
        status, told = await ask(reads, path + timestamp(START + 2.5))
        assert (status, told["error"]["code"]) == (410, "NO_LONGER_KEPT")
    _, kept = await ask(reads, "/api/events")
    assert [each["seq"] for each in kept["data"]] == [4, 5]
    _, life = await ask(reads, f"/api/objects/{POD.uid}/history")
    assert life["versions"][0]["changes"] == [{"path": "labels.app", "before": "web", "after": "web2"}]


async def test_one_request_looks_at_a_hundred_thousand_events_and_says_where_to_go_on() -> None:
    log = MemoryLog(epoch="e")
    await log.append([change(Verb.ADDED, NODE)])
    await log.append([change(Verb.MODIFIED, NODE, note=str(number % 7)) for number in range(100_010)])
    reads = reads_of(log)
    _, told = await ask(reads, "/api/events?kinds=pods")
    assert (told["data"], told["cursor"]) == ([], "seq:100000")
    _, told = await ask(reads, f"/api/events?kinds=pods&cursor={told['cursor']}")
    assert (told["data"], told["cursor"]) == ([], None)


KEYS = [pod_key("a", "x"), pod_key("b", "x"), pod_key("c", "y"), node_key("n"), namespace_key("x")]


@st.composite
def histories(draw: st.DrawFn) -> list[WatchEvent]:
    alive: set[ObjectKey] = set()
    told = []
    for second in range(draw(st.integers(1, 25))):
        key = draw(st.sampled_from(KEYS))
        if key in alive and draw(st.booleans()):
            alive.remove(key)
            told.append(WatchEvent(Verb.DELETED, key, str(second), START + second, deleted_body(key)))
            continue
        verb = Verb.MODIFIED if key in alive else Verb.ADDED
        alive.add(key)
        app = draw(st.sampled_from(["web", "db"]))
        body = (
            labelled(key.name, {"app": app}, namespace=key.namespace)
            if key.namespace
            else body_of(key, note=app)
        )
        told.append(WatchEvent(verb, key, str(second), START + second, body))
    return told


@given(
    histories(),
    st.data(),
    st.sampled_from(
        ["", "&labels=app%3Dweb", "&kinds=pods", "&namespaces=x&labels=app!%3Dweb", "&kinds=pods,nodes"]
    ),
)
def test_events_and_differences_are_those_of_a_fold(
    facts: list[WatchEvent], data: st.DataObject, query: str
) -> None:
    """From any moment to any later one: its events lead there, page by page, and so does what is different."""
    first = data.draw(st.integers(0, len(facts)))
    last = data.draw(st.integers(first, len(facts)))
    limit = data.draw(st.integers(1, 5))
    given_parts = dict(part.split("=", 1) for part in query.split("&") if part)
    watched = Filter.parse(
        filter(None, given_parts.get("namespaces", "").split(",")),
        kinds=filter(None, given_parts.get("kinds", "").split(",")),
        labels=given_parts.get("labels", "").replace("%3D", "="),
    )

    def shown(upto: int) -> dict[str, Any]:
        held: dict[str, Any] = {}
        for fact in facts[:upto]:
            held.pop(fact.key.uid, None)
            if fact.verb is not Verb.DELETED and watched.lets_through(fact.key, fact.body):
                held[fact.key.uid] = json.loads(fact.body)
        return held

    async def run() -> None:
        log = MemoryLog(epoch="e")
        await log.append(facts)
        reads = reads_of(log)
        held, cursor = shown(first), f"seq:{first}"
        while True:
            status, page = await ask(
                reads, f"/api/events?cursor={cursor}&until=seq:{last}&limit={limit}{query}"
            )
            assert status == 200
            assert len(page["data"]) <= limit
            for event in page["data"]:
                uid = event["data"]["uid"]
                assert (event["action"] == "ADDED") is (uid not in held)
                if event["action"] == "DELETED":
                    del held[uid]
                else:
                    held[uid] = event["data"]
            if (cursor := page["cursor"]) is None:
                break
        assert held == shown(last)
        _, diff = await ask(reads, f"/api/diff?from=seq:{first}&to=seq:{last}{query}")
        before, after = shown(first), shown(last)
        came = {each["uid"] for each in diff["changes"] if each["action"] == "ADDED"}
        went = {each["uid"] for each in diff["changes"] if each["action"] == "DELETED"}
        changed = {each["uid"] for each in diff["changes"] if each["action"] == "MODIFIED"}
        both = before.keys() & after.keys()
        assert (came, went) == (after.keys() - before.keys(), before.keys() - after.keys())
        assert {uid for uid in both if before[uid] != after[uid]} <= changed <= both

    asyncio.run(run())


async def test_a_running_server_tells_its_past_over_http() -> None:
    async with serving() as server, aiohttp.ClientSession() as http:
        await server.log.append([change(Verb.DELETED, pod_key("p1"))])
        async with http.get(server.http("/api/state?at=seq:2")) as response:
            then = await response.json()
        async with http.get(server.http("/api/state")) as response:
            now = await response.json()
        async with http.get(server.http("/api/state?at=seq:9")) as response:
            assert response.status == 400
        async with http.get(server.http(f"/api/objects/{pod_key('p1').uid}/history")) as response:
            life = await response.json()
    assert [[pod["name"] for pod in state["data"]["pods"]] for state in (then, now)] == [["p1"], []]
    assert (then["seq"], now["seq"]) == (2, 3)
    assert [each["action"] for each in life["versions"]] == ["ADDED", "DELETED"]


async def test_a_timeline_counts_what_happened_with_the_events_that_prove_it() -> None:
    reads = reads_of(await a_log())
    status, told = await ask(reads, "/api/timeline?buckets=2&kinds=pods")
    assert status == 200
    assert (told["type"], told["from"]["seq"], told["to"]) == (
        "timeline",
        0,
        {"seq": 5, "time": timestamp(START + 5)},
    )
    assert [(each["first"], each["last"], each["counts"]) for each in told["buckets"]] == [
        (2, 3, {"pods": {"MODIFIED": 1, "ADDED": 1}}),
        (4, 5, {"pods": {"MODIFIED": 1, "DELETED": 1}}),
    ]
    for query in ("buckets=0", "buckets=2001", "buckets=x", "from=seq:3&to=seq:2", "labels=%21"):
        status, told = await ask(reads, f"/api/timeline?{query}")
        assert (status, told["error"]["code"]) == (400, "INVALID_MESSAGE"), query


@pytest.mark.parametrize("query", ["", "&from=-5m", "&from=%2B5m&to=seq:0"])
async def test_where_nothing_has_happened_yet_it_is_now(query: str) -> None:
    reads, now = reads_of(MemoryLog(epoch="e")), {"seq": 0, "time": timestamp(START + 10_000)}
    for path in ("/api/timeline?buckets=1", "/api/diff?kinds=pods", "/api/when?where=pod.name=='a'"):
        status, told = await ask(reads, path + query)
        assert (status, told["from"], told["to"]) == (200, now, now), path


async def test_a_condition_is_answered_with_intervals_and_a_cursor() -> None:
    reads = reads_of(await a_log())
    where = quote('pod.labels.app.startsWith("web")')
    status, told = await ask(reads, f"/api/when?where={where}")
    assert status == 200
    assert (told["type"], told["cursor"], told["more"]) == ("when", None, 0)
    (found,) = told["intervals"]
    assert (found["uid"], found["from"]["seq"], found["until"]["seq"]) == (POD.uid, 3, 5)
    every = quote('pod.labels.app != "web"')
    _, first = await ask(reads, f"/api/when?where={every}&limit=1")
    assert ([each["from"]["seq"] for each in first["intervals"]], first["cursor"]) == ([2], "seq:2")
    _, rest = await ask(reads, f"/api/when?where={every}&limit=1&cursor=seq:2")
    assert ([each["from"]["seq"] for each in rest["intervals"]], rest["cursor"]) == ([4], None)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "it is empty"),
        (f"where={quote('pod.status ==')}", "at character 14"),
        (f"where={quote('pod.name')}", "not true or false"),
        (f"where={quote('pod.name == 1')}&from=seq:4&to=seq:2", "is before from"),
        (f"where={quote('pod.name == 1')}&limit=0", "limit"),
    ],
)
async def test_what_is_no_condition_is_refused_with_its_place(query: str, says: str) -> None:
    status, told = await ask(reads_of(await a_log()), f"/api/when?{query}")
    assert (status, told["error"]["code"]) == (400, "INVALID_MESSAGE")
    assert says in told["error"]["details"]
