"""What RBAC does not allow is said exactly, and the rest is served (LISTWATCH 12, PROTOCOL 8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from kstream.core.timeline.events import Delivery, Kind
from kstream.core.timeline.health import ErrorCode
from kstream.core.watching.completeness import NEVER
from kstream.sources.kube import KubeSource
from tests.scripted import ScriptedServer, Stream, answer, hang, line, listed, meta, pod, refused, until
from tests.sources.recording import Recording, recording


def forbidden(count: int = 1) -> list:  # type: ignore[type-arg]
    return [refused(403, "Forbidden", "no") for _ in range(count)]


def denied(record: Recording) -> list[str]:
    return sorted(fault.details for fault in record.health.faults.values())


@pytest.mark.parametrize("resource", ["nodes", "namespaces"])
@pytest.mark.parametrize("verb", ["list", "watch"])
async def test_one_resource_missing_leaves_the_rest(tmp_path: Path, verb: str, resource: str) -> None:
    server = ScriptedServer()
    server.on(f"{verb} {resource}", *forbidden(30))
    server.on("list pods", listed([pod("a")], "5"))
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
        await until(lambda: bool(record.health.faults))
        assert denied(record) == [f"Missing '{verb}' permission on '{resource}' at the cluster scope"]
        assert [fault.code for fault in record.health.faults.values()] == [ErrorCode.PERMISSION_DENIED]
        assert record.pods == ["a"]
        # It goes on asking: soon for two minutes, later every five.
        for wait in (61, 61, 331, 331):
            asked = len(server.asked(f"{verb} {resource}"))
            await record.clock.advance(wait)
            await until(lambda: len(server.asked(f"{verb} {resource}")) > asked)  # noqa: B023 - awaited at once
    assert len(record.faults(ErrorCode.PERMISSION_DENIED)) == 1


@pytest.mark.parametrize("verb", ["list", "watch"])
async def test_pods_that_may_not_be_watched_together_are_watched_by_namespace(
    tmp_path: Path, verb: str
) -> None:
    server = ScriptedServer()
    server.on(f"{verb} pods", *forbidden(9))
    server.on(
        "list namespaces", listed([meta("Namespace", n) for n in ("default", "kube-system", "shop")], "5")
    )
    server.on("list pods/default", listed([pod("a")], "6"))
    server.on("list pods/shop", listed([pod("b", namespace="shop")], "7"))
    server.on("list pods/kube-system", *forbidden(9))
    async with server.running(), recording(server, tmp_path) as record:
        await until(lambda: record.pods == ["a", "b"] and len(record.health.faults) == 2)
        await record.synced()
        assert set(denied(record)) == {
            f"Missing '{verb}' permission on 'pods' at the cluster scope",
            "Missing 'list' permission on 'pods' in namespace 'kube-system'",
        }
        await until(lambda: record.versions.get("pods/shop") == "7")
        assert not record.versions.get("pods")


async def test_namespaces_come_and_go_and_the_pods_of_one_that_is_gone_are_deleted_once(
    tmp_path: Path,
) -> None:
    server = ScriptedServer()
    namespaces, pods = Stream(), Stream()
    server.on("list pods", *forbidden())
    server.on("list namespaces", listed([meta("Namespace", "default")], "5"))
    server.on("watch namespaces", namespaces)
    server.on("list pods/shop", listed([pod("a", namespace="shop"), pod("b", namespace="shop")], "7"))
    server.on("watch pods/shop", pods)
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
        namespaces.send(line("ADDED", meta("Namespace", "shop", version="6")))
        await until(lambda: record.pods == ["a", "b"])
        await record.synced()
        await until(pods.opened.is_set)
        pods.send(line("DELETED", pod("a", "8", namespace="shop")))
        await until(lambda: record.pods == ["b"])
        namespaces.send(line("DELETED", meta("Namespace", "shop", version="9")))
        await until(lambda: record.names(Kind.NAMESPACE) == ["default"])
        await until(lambda: pods.request is not None and pods.request.transport is None)
        assert {stream.stream for stream in record.source.streams} == {
            "nodes",
            "namespaces",
            "pods",
            "pods/default",
        }
        assert record.versions["pods/shop"] == ""
    assert record.events.count("DELETED a") == 1
    assert record.events.count("DELETED b") == 1


async def test_when_the_permission_comes_back_one_watch_of_all_pods_takes_over(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on("list pods", *forbidden(), *[listed([pod("a"), pod("b")], "50") for _ in range(4)])
    server.on("list namespaces", listed([meta("Namespace", "default")], "5"))
    server.on("list pods/default", *[listed([pod("a")], "6") for _ in range(3)])
    async with server.running(), recording(server, tmp_path) as record:
        await until(lambda: record.pods == ["a"])
        await record.synced()
        await record.clock.advance(331)
        await until(lambda: record.pods == ["a", "b"])
        await record.synced()
        await until(lambda: record.health.faults == {})
        assert {stream.stream for stream in record.source.streams} == {"nodes", "namespaces", "pods"}
        assert record.versions["pods"] == "50"
        assert record.versions["pods/default"] == ""
    assert record.events == ["ADDED default", "ADDED a", "ADDED b"]


async def test_without_namespaces_to_list_the_one_of_the_context_is_tried(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on("list pods", *forbidden())
    server.on("list namespaces", *forbidden())
    server.on("list nodes", *forbidden())
    server.on("list pods/default", listed([pod("a")], "6"))
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
        assert record.pods == ["a"]
        assert len(record.health.faults) == 3


async def test_nothing_allowed_at_all_is_said_and_is_no_state(tmp_path: Path) -> None:
    server = ScriptedServer()
    for what in ("list pods", "list namespaces", "list nodes", "list pods/default"):
        server.on(what, *forbidden())
    async with server.running(), recording(server, tmp_path) as record:
        await until(lambda: any(s.state == "denied" and "/" in s.stream for s in record.source.streams))
        kinds = ("namespaces", "nodes", "pods")
        assert sorted(record.health.faults) == [f"permission:list:{kind}" for kind in kinds]
        assert not record.health.synced


async def test_a_permission_lost_in_mid_life_keeps_the_state_and_deletes_nothing(tmp_path: Path) -> None:
    server = ScriptedServer()
    watch = Stream()
    server.on("list nodes", listed([meta("Node", "n1")], "5"))
    server.on("watch nodes", watch, *forbidden(), Stream())
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
        await until(watch.opened.is_set)
        await record.clock.advance(10)
        watch.end()
        await until(lambda: bool(record.health.faults))
        assert "stale" in next(iter(record.health.faults.values())).message
        assert record.names(Kind.NODE) == ["n1"]
        assert next(s.state for s in record.source.streams if s.stream == "nodes") == "denied"
        await record.clock.advance(331)
        await until(lambda: record.health.faults == {})
    assert not any(event.startswith("DELETED") for event in record.events)


async def test_all_pods_denied_in_mid_life_falls_back_without_a_delete(tmp_path: Path) -> None:
    server = ScriptedServer()
    watch = Stream()
    pods = [pod("a"), pod("b", namespace="secret")]
    server.on("list namespaces", listed([meta("Namespace", n) for n in ("default", "secret")], "5"))
    server.on("list pods", listed(pods, "6"))
    server.on("watch pods", watch, *forbidden())
    server.on("list pods/default", listed([pod("a"), pod("c")], "9"))
    server.on("list pods/secret", *forbidden())
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
        await until(watch.opened.is_set)
        await record.clock.advance(10)
        watch.end()
        await until(lambda: record.pods == ["a", "b", "c"])
        await until(lambda: len(record.health.faults) == 2)
    assert not any(event.startswith("DELETED") for event in record.events)


async def test_150_namespaces_are_watched_at_once(tmp_path: Path) -> None:
    server = ScriptedServer()
    names = [f"ns{i:03}" for i in range(150)]
    server.on("list pods", *forbidden())
    server.on("list namespaces", listed([meta("Namespace", name) for name in names], "5"))
    watches = [Stream() for _ in names]
    for name, watch in zip(names, watches, strict=True):
        server.on(f"list pods/{name}", listed([pod(f"pod-{name}", namespace=name)], "6"))
        server.on(f"watch pods/{name}", watch)
    async with server.running(), recording(server, tmp_path) as record:
        await until(lambda: all(watch.opened.is_set() for watch in watches))
        await record.synced()
        assert len(record.pods) == 150
        watches[-1].send(line("ADDED", pod("late", "7", namespace=names[-1])))
        await until(lambda: "late" in record.pods)


async def test_a_version_that_may_not_be_read_is_unknown_and_no_obstacle(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on("get /version", *forbidden())
    server.on("get /api/v1/namespaces/kube-system", answer(b"", status=404))
    async with server.running(), recording(server, tmp_path) as record:
        await record.synced()
    assert record.health.cluster == ("my-cluster", "unknown", "")


async def test_all_pods_may_be_watched_again_while_it_is_told_that_a_namespace_is_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its stream is gone then, and with it what it was late with."""
    server = ScriptedServer()
    server.on("list pods", *forbidden(4), *[listed([pod("a")], "50") for _ in range(4)])
    server.on("list namespaces", listed([meta("Namespace", "n1"), meta("Namespace", "n2")], "5"))
    server.on("list pods/n1", *[hang() for _ in range(9)])
    server.on("list pods/n2", *[hang() for _ in range(9)])
    put = KubeSource._put
    told: list[str] = []

    async def slowly(source: KubeSource, stream: str, delivery: Delivery, before: float = NEVER) -> None:
        await put(source, stream, delivery, before)
        if any(
            "nothing was heard of the pods" in getattr(report, "details", "") for report in delivery.reports
        ):
            told.append(stream)
            await until(lambda: "pods/n2" not in {each.stream for each in source.streams})

    monkeypatch.setattr(KubeSource, "_put", slowly)
    async with server.running(), recording(server, tmp_path) as record:
        await until(lambda: record.pods == ["a"], record.clock, step=1.0)
        assert told, "while one was told to be late, the other was stopped"
        await record.synced(step=1.0)
