"""Fault scripts: the format, and what a client sees of each."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from kstream.core.errors import ConfigError
from kstream.core.timeline.events import Verb
from simulator.apiserver.access import parse_tokens
from simulator.apiserver.faults import FaultScript, parse_script
from tests.simulator.apiserver.making import Client, Writer, serving

WATCH = "/api/v1/pods?watch=1&resourceVersion=1&timeoutSeconds=20&allowWatchBookmarks=true"


def _script(*rules: str) -> FaultScript:
    return parse_script("faults:\n" + "\n".join(f"- {rule}" for rule in rules))


def _on_watch(action: str, *, event: int | None = None) -> FaultScript:
    when = f", when: {{event: {event}}}" if event is not None else ""
    return _script(f"{{match: {{verb: watch}}{when}, do: {action}}}")


def _writer(pods: int = 4) -> Writer:
    """A store in which a watch from version 1 has so many lines to tell."""
    writer = Writer()
    for number in range(pods + 1):
        writer.pod(f"pod-{number}")
    return writer


def _types(body: str) -> list[str]:
    return [json.loads(line)["type"] for line in body.splitlines()]


# -- the format


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "faults:\n- match: {verb: watch}\n  do: {dorp: true}\n",
            r"test.yaml, line 3: faults.0.do.dorp: there is no such key",
        ),
        (
            "faults:\n- match:\n    verb: list\n    ressource: pods\n  do: drop\n",
            r"line 4: faults.0.match.ressource",
        ),
        ("faults:\n- do: drop\n", r"line 2: faults.0: .*needs `when.after` or `when.event`"),
        ("faults:\n- when: {after: 1}\n  do: silence\n", r"`silence` needs a `match`"),
        ("faults:\n- match: {verb: list}\n  do: silence\n", r"say `match: {verb: watch}`"),
        (
            "faults:\n- match: {}\n  do: {drop: true, delay: 3}\n",
            r"line 3: faults.0.do: .*exactly one action",
        ),
        ("faults:\n- match: {}\n  do: {status: {code: 7}}\n", r"line 3: faults.0.do.status.code"),
        ("faults: [\n", r"test.yaml: no YAML"),
        ("- drop\n", r"line 1: the document"),
    ],
)
def test_a_mistake_in_a_script_is_told_with_its_line_and_key(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_script(text, name="test.yaml")


def test_an_empty_script_has_no_faults() -> None:
    assert parse_script("") == FaultScript()


# -- what happens to a request


async def test_a_status_has_its_body_its_type_and_retry_after() -> None:
    script = _script(
        "{match: {verb: list}, do: {status: {code: 429, body: slow down, retry_after: 7}}}",
        "{match: {verb: list}, do: {status: {code: 503, reason: ServiceUnavailable, message: not yet}}}",
        "{match: {path: /version}, do: {status: {code: 502, body: <html/>, content_type: text/html}}}",
    )
    async with serving(_writer().store, faults=script) as client:
        first, second, third = [await client.get("/api/v1/pods") for _ in range(3)]
        assert (first.status, first.body, first.headers["retry-after"]) == (429, "slow down", "7")
        assert (second.status, second.json()["reason"], second.json()["message"]) == (
            503,
            "ServiceUnavailable",
            "not yet",
        )
        assert third.status == 200
        html = await client.get("/version")
        assert (html.status, html.headers["content-type"]) == (502, "text/html")


async def test_identity_faults_have_the_real_texts_and_pass() -> None:
    script = _script(
        "{match: {verb: list}, do: unauthorized}",
        "{match: {verb: list, namespace: shop}, when: {request: 2}, do: forbidden}",
        "{match: {verb: get}, do: expire_token}",
    )
    access = parse_tokens(["viewer=view"])
    async with serving(_writer().store, faults=script, access=access) as client:
        path = "/api/v1/namespaces/shop/pods"
        answers = [await client.get(path, token="viewer") for _ in range(3)]
        assert [answer.status for answer in answers] == [401, 403, 200]
        assert 'User "viewer" cannot list resource "pods"' in answers[1].json()["message"]
        assert (await client.get(f"{path}/pod-1", token="viewer")).status == 401
        assert (await client.get(path, token="viewer")).status == 401, "the token has expired"
        access.renew("viewer")
        assert (await client.get(path, token="viewer")).status == 200


async def test_a_delay_takes_its_time_and_a_black_hole_never_answers() -> None:
    script = _script("{match: {verb: list}, do: {delay: 30}}", "{match: {path: /version}, do: black_hole}")
    async with serving(_writer().store, faults=script) as client:
        assert (await client.get("/api/v1/pods")).status == 200
        assert client.clock.monotonic() >= 30
        waiting = asyncio.create_task(client.ask("/version"))
        await client.clock.advance(3600)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert (await client.get("/version")).status == 200


async def test_a_drop_cuts_the_connection_without_an_answer() -> None:
    # Twice: aiohttp asks once more, unseen, when the connection of a GET is cut.
    script = _script("{match: {verb: list, page: 2}, times: 2, do: drop}")
    async with serving(_writer().store, faults=script) as client:
        page = (await client.get("/api/v1/pods?limit=2")).json()
        following = f"/api/v1/pods?limit=2&continue={page['metadata']['continue']}"
        with pytest.raises(aiohttp.ClientError):
            await client.get(following)
        assert (await client.get(following)).status == 200
        assert [seen.target.split("&")[0] for seen in client.server.requests] == ["/api/v1/pods?limit=2"] * 4


async def test_compaction_before_a_page_is_a_410_with_a_token() -> None:
    writer = _writer()
    async with serving(writer.store, faults=_script("{match: {verb: list, page: 2}, do: compact}")) as client:
        page = (await client.get("/api/v1/pods?limit=2")).json()
        writer.pod("later")
        answer = await client.get(f"/api/v1/pods?limit=2&continue={page['metadata']['continue']}")
        assert (answer.status, answer.json()["reason"]) == (410, "Expired")


async def test_a_restart_refuses_connections_for_its_time_and_keeps_the_state() -> None:
    script = _script("{when: {after: 10}, do: {restart: {down: 5}}}")
    async with serving(_writer().store, faults=script) as client:
        before = (await client.get("/api/v1/pods")).json()
        watching = asyncio.create_task(client.ask("/api/v1/pods?watch=1&resourceVersion=5"))
        await _until(client, 12)
        with pytest.raises(aiohttp.ClientError):
            await watching
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.ask("/version")
        await _until(client, 16)
        assert (await client.get("/api/v1/pods")).json() == before


async def _until(client: Client, time: float) -> None:
    while client.clock.monotonic() < time:
        await client.clock.advance(0.5)


# -- what happens to the lines of a watch


async def test_a_watch_may_end_cleanly_at_once_or_after_some_events() -> None:
    for event, types in ((0, []), (2, ["ADDED", "ADDED"])):
        async with serving(_writer().store, faults=_on_watch("end", event=event)) as client:
            assert _types((await client.get(WATCH)).body) == types
            assert client.clock.monotonic() < 5
            assert len(_types((await client.get(WATCH)).body)) > 3, "once only"


async def test_a_line_is_torn_and_the_stream_ends_there() -> None:
    async with serving(_writer().store, faults=_on_watch("{torn_line: 30}", event=2)) as client:
        body = (await client.get(WATCH)).body
        assert _types("\n".join(body.split("\n")[:2])) == ["ADDED", "ADDED"]
        assert len(body.split("\n")[2]) == 30


async def test_a_connection_is_cut_in_mid_watch() -> None:
    async with (
        serving(_writer().store, faults=_on_watch("drop", event=2)) as client,
        client.session.get(f"{client.server.url}{WATCH}") as answer,
    ):
        lines = [await answer.content.readline() for _ in range(2)]
        assert _types(b"".join(lines).decode()) == ["ADDED", "ADDED"]
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.content.readline()


@pytest.mark.parametrize(
    ("action", "lines"),
    [
        ("{line: ''}", [""]),
        ("{line: '{not json'}", ["{not json"]),
        ('{line: \'{"type":"MOVED","object":{}}\'}', ['{"type":"MOVED","object":{}}']),
        ("{error: {code: 410, reason: Gone, message: m}}", None),
    ],
)
async def test_lines_that_do_not_belong_come_in_between(action: str, lines: list[str] | None) -> None:
    async with serving(_writer().store, faults=_on_watch(action, event=1)) as client:
        told = (await client.get(WATCH)).body.split("\n")[:-1]
        if lines is None:
            error = json.loads(told[1])
            assert (error["type"], error["object"]["code"], error["object"]["reason"]) == (
                "ERROR",
                410,
                "Gone",
            )
            assert len(told) == 2, "the stream ends with it"
        else:
            assert told[1:2] == lines
            assert len(told) > 4


async def test_an_error_may_come_without_reason_and_code_or_ask_for_patience() -> None:
    for action, expected in (
        ("error", {"kind", "apiVersion", "metadata", "status"}),
        (
            "{error: {code: 429, retry_after: 3}}",
            {"kind", "apiVersion", "metadata", "status", "code", "details"},
        ),
    ):
        async with serving(_writer().store, faults=_on_watch(action, event=0)) as client:
            (line,) = (await client.get(WATCH)).lines()
            assert set(line["object"]) == expected


async def test_a_line_is_sent_twice_and_an_older_one_again() -> None:
    def names(body: str) -> list[str]:
        return [json.loads(line)["object"]["metadata"].get("name", "") for line in body.splitlines()][:5]

    async with serving(_writer().store, faults=_on_watch("duplicate", event=1)) as client:
        assert names((await client.get(WATCH)).body) == ["pod-1", "pod-2", "pod-2", "pod-3", "pod-4"]
    async with serving(_writer().store, faults=_on_watch("stale", event=2)) as client:
        assert names((await client.get(WATCH)).body) == ["pod-1", "pod-2", "pod-1", "pod-3", "pod-4"]


async def test_an_oversize_line_has_its_size() -> None:
    async with serving(_writer().store, faults=_on_watch("{oversize: 3000000}", event=1)) as client:
        lines = (await client.get(WATCH)).body.splitlines(keepends=True)
        assert len(lines[1]) == 3_000_000
        assert json.loads(lines[1])["type"] == "MODIFIED"


async def test_slow_bytes_come_one_by_one_and_whole() -> None:
    async with serving(
        _writer(1).store, faults=_on_watch("{slow: {bytes: 1, every: 0.01}}", event=0)
    ) as client:
        lines = (await client.get(WATCH)).lines()
        assert lines[0]["object"]["metadata"]["name"] == "pod-1"
        assert client.clock.monotonic() > len(json.dumps(lines[0])) * 0.01 * 0.8


async def test_ten_lines_come_in_one_chunk() -> None:
    writer = _writer(25)
    async with (
        serving(writer.store, faults=_on_watch("one_chunk", event=0)) as client,
        client.session.get(f"{client.server.url}{WATCH}") as answer,
    ):
        first = await answer.content.readany()
        assert first.count(b"\n") >= 10


async def test_silence_keeps_the_stream_open_and_sends_nothing_more() -> None:
    writer = _writer()
    async with (
        serving(writer.store, faults=_on_watch("silence", event=4)) as client,
        client.session.get(f"{client.server.url}{WATCH}") as answer,
    ):
        for _ in range(4):
            await answer.content.readline()
        writer.pod("more")
        reading = asyncio.create_task(answer.content.readline())
        await _until(client, 500)
        assert not reading.done(), "neither events nor bookmarks nor the end"
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_bookmarks_may_be_missing_or_end_the_initial_events_with_another_word() -> None:
    initial = "/api/v1/pods?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    initial += "&allowWatchBookmarks=true&timeoutSeconds=5"
    async with serving(_writer().store, faults=_on_watch("no_bookmarks")) as client:
        assert set(_types((await client.get(initial)).body)) == {"ADDED"}
        assert set(_types((await client.get(initial)).body)) == {"ADDED", "BOOKMARK"}
    async with serving(_writer().store, faults=_on_watch("{initial_end: 'false'}")) as client:
        marks = [line for line in (await client.get(initial)).lines() if line["type"] == "BOOKMARK"]
        assert marks[0]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "false"}


async def test_a_rule_of_the_server_acts_after_so_many_writes() -> None:
    writer = _writer()
    async with serving(writer.store, faults=_script("{when: {event: 2}, do: compact}")) as client:
        writer.pod("pod-1", verb=Verb.MODIFIED)
        assert client.server.store.compacted == 0
        writer.pod("pod-1", verb=Verb.MODIFIED)
        assert client.server.store.compacted == writer.store.version
        assert (await client.get(WATCH)).lines()[0]["object"]["code"] == 410
