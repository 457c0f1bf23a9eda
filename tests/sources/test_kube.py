"""The source against a scripted API server: what it asks, and what it makes of the answers."""

from __future__ import annotations

import asyncio
import gzip
import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from kstream.core.timeline.events import Kind
from kstream.core.timeline.health import ClusterInfo, ErrorCode, Identified
from simulator.apiserver.tls import Certificate
from tests.scripted import (
    Reply,
    ScriptedServer,
    Stream,
    answer,
    bookmark,
    error,
    kubeconfig,
    line,
    listed,
    meta,
    pod,
    refused,
    trusting,
    until,
)
from tests.sources.recording import recording


async def test_nodes_pods_and_namespaces_are_listed_and_watched(tmp_path: Path) -> None:
    server = ScriptedServer()
    watch = Stream()
    server.on("list nodes", listed([meta("Node", "n1")], "10"))
    server.on("list namespaces", listed([meta("Namespace", "default")], "11"))
    server.on("list pods", listed([pod("a"), pod("b")], "12"))
    server.on("watch pods", watch)
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
        assert record.pods == ["a", "b"]
        assert record.names(Kind.NODE) == ["n1"]
        assert record.health.cluster == ClusterInfo("my-cluster", "v1.29.0", "the-cluster")
        assert isinstance(record.reports[0], Identified)
        await until(watch.opened.is_set)
        watch.send(line("ADDED", pod("c", "13")), line("DELETED", pod("a", "14")), bookmark("15"))
        await until(lambda: record.versions["pods"] == "15")
        assert record.pods == ["b", "c"]
        assert record.events[-2:] == ["ADDED c", "DELETED a"]
        assert server.asked("watch pods")[0]["resourceVersion"] == "12"


async def test_a_new_server_is_asked_for_initial_events_instead_of_a_list(tmp_path: Path) -> None:
    """LISTWATCH 4; an end that is annotated otherwise is none, and who refuses is listed."""
    server = ScriptedServer()
    watch = Stream()
    server.on("get /version", answer(b'{"major": "1", "minor": "36+", "gitVersion": "v1.36.1"}'))
    server.on("watch pods", watch)
    server.on("watch nodes", refused(422, "Invalid", "sendInitialEvents is forbidden"))
    server.on("watch namespaces", refused(400, "BadRequest"))
    async with server.running(), recording(server, tmp_path) as record:
        await until(watch.opened.is_set)
        watch.send(line("ADDED", pod("a", "3")), initial_end("7", "false"))
        await until(lambda: record.pods == ["a"])
        assert not record.health.synced
        watch.send(initial_end("8"), line("ADDED", pod("b", "9")))
        await record.synced()
        await until(lambda: record.versions["pods"] == "9")
    assert server.asked("watch pods")[0]["sendInitialEvents"] == "true"
    assert "list pods" not in server.requests
    assert {"list nodes", "list namespaces"} <= set(server.requests)


def initial_end(version: str, value: str = "true") -> bytes:
    annotations = {"k8s.io/initial-events-end": value}
    return line(
        "BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": version, "annotations": annotations}}
    )


async def test_closing_leaves_no_task_and_no_connection_behind(tmp_path: Path) -> None:
    server = ScriptedServer()
    watch = Stream()
    server.on("watch pods", watch)
    before = asyncio.all_tasks()
    async with server.running():
        async with recording(server, tmp_path) as record:
            await record.synced()
            await until(watch.opened.is_set)
        await until(lambda: watch.request is not None and watch.request.transport is None)
    await until(lambda: asyncio.all_tasks() <= before)


async def test_a_restart_lists_and_repeats_nothing(tmp_path: Path) -> None:
    """LISTWATCH 8: the versions in the log may be of a history that a restore of etcd has ended."""
    server = ScriptedServer()
    first, second = Stream(), Stream()
    server.on("list pods", listed([pod("a")], "12"), listed([pod("a")], "12"))
    server.on("watch pods", first, second)
    async with server.running():
        async with recording(server, tmp_path) as before:
            await before.synced()
            await until(first.opened.is_set)
        async with recording(server, tmp_path, before=before) as record:
            await until(second.opened.is_set)
            second.send(line("ADDED", pod("b", "13")))
            await until(lambda: record.events == ["ADDED b"])
            await record.synced()
    assert len(server.asked("list pods")) == 2


async def test_an_outage_is_an_error_and_stale_state_until_the_server_is_back(tmp_path: Path) -> None:
    """LISTWATCH 14, PROTOCOL 3 and 8: no list, the same version."""
    server = ScriptedServer()
    watch, again = Stream(), Stream()
    server.on("list pods", listed([pod("a")], "12"))
    server.on("watch pods", watch)
    async with AsyncExitStack() as life:
        await life.enter_async_context(server.running())
        async with recording(server, tmp_path) as record:
            await record.synced()
            await until(watch.opened.is_set)
            await record.clock.advance(5)
            await life.aclose()
            await until(lambda: record.health.stale, record.clock, step=0.02)
            [fault] = record.faults(ErrorCode.CLUSTER_UNREACHABLE)
            assert f"127.0.0.1:{server.port}" in fault.details
            server.on("watch pods", again)
            async with server.running(server.port):
                await record.synced(step=0.05)
                await until(again.opened.is_set)
                assert record.health.faults == {}
                again.send(line("DELETED", pod("a", "13")))
                await until(lambda: record.pods == [])
            assert record.said()[:3] == ["Synced", "Lost", "Synced"]
    assert len(server.asked("list pods")) == 1
    assert server.asked("watch pods")[-1]["resourceVersion"] == "12"


async def test_another_cluster_at_the_same_address_is_told_and_none_of_it_is_recorded(tmp_path: Path) -> None:
    """LISTWATCH 15: the log refuses an identity that is not its own."""
    server = ScriptedServer()
    watch = Stream()
    server.on("list pods", listed([pod("a")], "12"))
    server.on("watch pods", watch)
    async with AsyncExitStack() as life:
        await life.enter_async_context(server.running())
        async with recording(server, tmp_path) as record:
            await record.synced()
            await until(watch.opened.is_set)
            await record.clock.advance(5)
            await life.aclose()
            other = ScriptedServer()
            identity = answer(json.dumps(meta("Namespace", "kube-system")).encode())
            other.on("get /api/v1/namespaces/kube-system", *[identity] * 99)
            async with other.running(server.port):
                await until(lambda: record.health.cluster.uid == "uid-kube-system", record.clock, step=0.02)
            assert not any(what.startswith(("list", "watch")) for what in other.requests)
            assert record.pods == ["a"]


async def test_a_cluster_that_was_never_reached_is_a_failed_connection(tmp_path: Path) -> None:
    server = ScriptedServer()
    async with server.running():
        pass
    async with recording(server, tmp_path) as record:
        await until(lambda: bool(record.health.faults))
        await record.clock.advance(100)
        await until(lambda: len(record.reports) > 0)
    assert [fault.code for fault in record.health.faults.values()] == [ErrorCode.CONNECTION_FAILED]
    assert len(record.faults(ErrorCode.CONNECTION_FAILED)) == 1
    assert record.said() == []


async def test_a_server_that_does_not_know_us_is_a_failed_connection_until_the_token_is_good(
    tmp_path: Path, certificate: Certificate
) -> None:
    """LISTWATCH 11: the kubeconfig is read again for each try."""
    server = ScriptedServer()
    server.on("get /version", *[refused(401, "Unauthorized") for _ in range(2)])
    trust = trusting(certificate.authority)
    async with server.running(tls=certificate.context):
        config = kubeconfig(tmp_path / "config", server.url, user={"token": "bad"}, cluster=trust)
        async with recording(server, tmp_path, config=config) as record:
            await until(lambda: bool(record.faults(ErrorCode.CONNECTION_FAILED)))
            kubeconfig(config, server.url, user={"token": "better"}, cluster=trust)
            await record.synced(step=0.05)
            assert record.health.faults == {}
    assert server.tokens[0] == "Bearer bad"
    assert server.tokens[-1] == "Bearer better"


async def test_401_in_mid_life_is_answered_with_a_new_token_at_once(
    tmp_path: Path, certificate: Certificate
) -> None:
    server = ScriptedServer()
    watch = Stream()
    server.on("watch pods", watch, refused(401, "Unauthorized"), Stream())
    trust = trusting(certificate.authority)
    async with server.running(tls=certificate.context):
        config = kubeconfig(tmp_path / "config", server.url, cluster=trust)
        async with recording(server, tmp_path, config=config) as record:
            await record.synced()
            await until(watch.opened.is_set)
            kubeconfig(config, server.url, user={"token": "renewed"}, cluster=trust)
            await record.clock.advance(10)
            watch.end()
            await until(lambda: len(server.asked("watch pods")) == 3)
            await record.synced()
    assert [
        token for what, token in zip(server.requests, server.tokens, strict=True) if what == "watch pods"
    ] == [
        "Bearer good",
        "Bearer good",
        "Bearer renewed",
    ]
    assert record.said() == ["Synced"]


async def test_a_kubeconfig_that_is_wrong_is_said_and_may_be_corrected_while_running(tmp_path: Path) -> None:
    server = ScriptedServer()
    async with server.running():
        config = tmp_path / "config"
        async with recording(server, tmp_path, config=config) as record:
            await until(lambda: len(record.faults(ErrorCode.INVALID_KUBECONFIG)) == 1)
            assert "does not exist" in record.reports[0].details  # type: ignore[union-attr]
            config.write_text("clusters: [")
            await until(lambda: "no YAML" in str(record.reports[-1]), record.clock, step=0.05)
            kubeconfig(config, server.url)
            await record.synced(step=0.05)
            assert record.health.faults == {}


async def test_a_watch_error_is_told_once_and_repaired_by_a_list(tmp_path: Path) -> None:
    """LISTWATCH 6; a delete that the watch hid is found by the list."""
    server = ScriptedServer()
    watch = Stream()
    server.on("list pods", listed([pod("a"), pod("b")], "12"), listed([pod("b")], "20"))
    server.on("watch pods", watch)
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
        await until(watch.opened.is_set)
        watch.send(error(500, "InternalError"))
        await until(lambda: record.pods == ["b"])
        await until(lambda: len(server.asked("watch pods")) == 2)
    [fault] = record.faults(ErrorCode.WATCH_ERROR)
    assert "pods" in fault.message
    assert record.versions["pods"] == "20"
    assert record.events.count("DELETED a") == 1


async def test_named_namespaces_are_watched_each_on_their_own(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on("list namespaces", listed([meta("Namespace", n) for n in ("shop", "other", "web")], "5"))
    server.on("list pods/shop", listed([pod("a", namespace="shop")], "6"))
    server.on("list pods/web", listed([pod("b", namespace="web")], "7"))
    async with server.running(), recording(server, tmp_path, namespaces=("shop", "web")) as record:
        await record.synced()
        assert record.names(Kind.NAMESPACE) == ["shop", "web"]
        assert record.pods == ["a", "b"]
        await until(lambda: record.versions.get("pods/web") == "7")
    assert "list pods" not in server.requests


async def test_a_namespace_that_is_not_there_is_said_until_it_comes(tmp_path: Path) -> None:
    server = ScriptedServer()
    watch = Stream()
    server.on("list namespaces", listed([meta("Namespace", "web")], "5"))
    server.on("watch namespaces", watch)
    async with server.running(), recording(server, tmp_path, namespaces=("shop", "web")) as record:
        await record.synced()
        await until(lambda: bool(record.health.faults))
        [fault] = record.faults(ErrorCode.WATCH_ERROR)
        assert (fault.subject, fault.stale) == ("namespace:shop", False)
        assert fault.message == "There is no namespace 'shop' in the cluster"
        watch.send(line("ADDED", meta("Namespace", "shop", version="6")))
        await until(lambda: not record.health.faults)
        watch.send(line("DELETED", meta("Namespace", "shop", version="7")))
        await until(lambda: list(record.health.faults) == ["namespace:shop"])
    assert record.names(Kind.NAMESPACE) == ["web"]


async def test_whether_a_namespace_is_there_is_not_said_where_nobody_may_know(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on("list namespaces", refused(403, "Forbidden"))
    async with server.running(), recording(server, tmp_path, namespaces=("shop",)) as record:
        await until(lambda: record.faults(ErrorCode.PERMISSION_DENIED) != [])
        await until(lambda: record.versions.get("pods/shop") == "1")
        assert not record.faults(ErrorCode.WATCH_ERROR)


async def test_what_an_earlier_run_watched_and_this_one_does_not_is_taken_away(tmp_path: Path) -> None:
    server = ScriptedServer()
    pods = [pod("a", namespace="shop"), pod("b", namespace="web")]
    server.on("list pods", listed(pods, "6"), listed(pods, "9"))
    server.on("list pods/shop", listed([pod("a", namespace="shop")], "7"))
    async with server.running():
        async with recording(server, tmp_path) as first:
            await first.synced()
        async with recording(server, tmp_path, before=first, namespaces=("shop",)) as second:
            await second.synced()
            assert second.events == ["DELETED b"]
            assert second.versions["pods"] == ""
        second.versions = {**first.versions, **second.versions}
        async with recording(server, tmp_path, before=second) as third:
            await until(lambda: third.events == ["ADDED b"])
            await until(lambda: third.versions.get("pods") == "9")


async def test_freshness_is_told_for_every_stream(tmp_path: Path) -> None:
    server = ScriptedServer()
    watch = Stream()
    server.on("watch pods", watch)
    async with server.running(), recording(server, tmp_path) as record:
        assert record.source.streams == []
        await record.synced()
        await until(watch.opened.is_set)
        await record.clock.advance(10)
        watch.send(line("ADDED", pod("a", "5")))
        await until(lambda: record.pods == ["a"])
        fresh = {stream.stream: stream for stream in record.source.streams}
    assert set(fresh) == {"nodes", "pods", "namespaces"}
    assert (fresh["pods"].state, fresh["pods"].version, fresh["pods"].objects) == ("watching", "5", 1)
    assert fresh["pods"].last_event == 1010.0
    assert fresh["nodes"].last_event == 0.0
    assert fresh["pods"].lag == 0.0


async def test_it_is_complete_up_to_what_the_slowest_stream_heard_and_is_committed(tmp_path: Path) -> None:
    """PROTOCOL 29."""
    server = ScriptedServer()
    pods, nodes, spaces = Stream(), Stream(), Stream()
    server.on("watch pods", pods)
    server.on("watch nodes", nodes)
    server.on("watch namespaces", spaces)
    async with server.running(), recording(server, tmp_path) as record:
        assert [record.source.heard] == [None]
        await record.synced()
        for stream in (pods, nodes, spaces):
            await until(stream.opened.is_set)
        listed = record.clock.time()
        await record.clock.advance(5)
        await until(lambda: record.source.heard == listed)
        for stream in (pods, nodes):
            stream.send(bookmark("20"))
        await until(lambda: [record.versions.get(name) for name in ("pods", "nodes")] == ["20", "20"])
        assert record.source.heard == listed, "namespaces have said nothing"
        spaces.send(bookmark("20"))
        await until(lambda: record.source.heard == listed + 5)
        record.paused.clear()
        await record.clock.advance(5)
        for stream in (pods, nodes, spaces):
            stream.send(bookmark("21"))
        await until(lambda: {s.last_byte for s in record.source.streams} == {listed + 10})
        assert record.source.heard == listed + 5, "it is not committed"
        record.paused.set()
        await until(lambda: record.source.heard == listed + 10)


@pytest.mark.parametrize(
    "reply",
    [
        answer(b'{"major": "1", "minor": "\xc2\xb2\xd9\xa3", "gitVersion": "v1.36.0"}'),
        answer(b'{"major": "2", "minor": "' + b"9" * 5000 + b'", "gitVersion": "v1.36.0"}'),
    ],
    ids=["digits of other scripts", "5000 digits"],
)
async def test_what_is_said_of_the_version_ends_nothing(tmp_path: Path, reply: Reply) -> None:
    server = ScriptedServer()
    server.on("get /version", reply)
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
    assert record.health.cluster.version == "v1.36.0"


async def test_a_version_without_end_is_passed_on_in_part(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on("get /version", answer(b'{"gitVersion": "v1' + b"x" * 9000 + b'"}'))
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
    assert record.health.cluster.version == "v1" + "x" * 98


async def test_an_answer_that_is_encoded_though_nobody_asked_is_not_read(tmp_path: Path) -> None:
    """It could inflate to anything."""
    server = ScriptedServer()
    bomb = answer(gzip.compress(bytes(2**20)), headers={"Content-Encoding": "gzip"})
    server.on("list pods", bomb, listed([pod("a")], "5"))
    async with server.running(), recording(server, tmp_path) as record:
        await until(lambda: bool(record.health.faults))
        (fault,) = record.health.faults.values()
        assert "is encoded ('gzip'), which nobody asked for" in fault.details
        await record.synced(step=0.2)
        assert record.pods == ["a"]
