"""client-go against the fake server: `kubectl wait` keeps a reflector on what it waits for, as every informer does."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from kstream.clock import SystemClock
from kstream.core.timeline.events import Kind
from kstream.logs.sqlite import SqliteLog
from simulator.apiserver.recorded import PlayedLog
from simulator.apiserver.requests import Seen
from simulator.apiserver.server import FakeApiServer
from tests.simulator.apiserver.living import Living, living

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"
KUBECTL = shutil.which("kubectl")
_GATES_SINCE = 31  # the minor version from which on client-go lets the environment choose WatchList

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")


@pytest.fixture(scope="module")
def minor() -> int:
    """The minor version of kubectl."""
    done = subprocess.run(
        (str(KUBECTL), "version", "--client", "-o", "json"),
        capture_output=True,
        text=True,
        check=True,
    )
    return int(json.loads(done.stdout)["clientVersion"]["minor"].rstrip("+"))


@pytest.fixture(params=[False, True], ids=["list", "WatchList"])
def watch_list(request: pytest.FixtureRequest, minor: int) -> bool:
    """Whether the reflector begins with a list and a watch, or with a watch that sends the initial events."""
    chosen = bool(request.param)
    if chosen and minor < _GATES_SINCE:
        pytest.skip(f"kubectl 1.{minor} cannot be told to use WatchList; 1.{_GATES_SINCE} and newer can")
    return chosen


@asynccontextmanager
async def _waiting(
    cluster: Living, *arguments: str, watch_list: bool
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`kubectl wait` while the block runs; it has to be content within the time that is left of 30 s."""
    process = await asyncio.create_subprocess_exec(
        *(str(KUBECTL), "--kubeconfig", str(cluster.config), f"--cache-dir={cluster.config.parent}"),
        *("wait", "--timeout=300s", *arguments),
        env={
            **os.environ,
            "HOME": str(cluster.config.parent),
            "KUBE_FEATURE_WatchListClient": str(watch_list).lower(),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
        out, _ = await process.communicate()
        assert process.returncode == 0, out.decode()
        assert b"condition met" in out
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _shapes(cluster: Living, resource: str) -> list[str]:
    return [shape for seen in cluster.asked(resource) if (shape := _shape(seen))]


def _shape(seen: Seen) -> str:
    """What a reflector asks for, in a word."""
    query = seen.query
    if seen.verb == "list":
        return "list any version" if query.get("resourceVersion") == "0" else "list"
    assert query["allowWatchBookmarks"] == "true"
    if "sendInitialEvents" in query:
        assert (query["sendInitialEvents"], query["resourceVersionMatch"]) == ("true", "NotOlderThan")
        # Without an end of its own it stands for a list, up to 1.33: such a client wants a blueprint of the list
        # in the bookmark, which servers no longer send, and lists as ever.
        return "watch list" if "timeoutSeconds" in query else ""
    assert 300 <= int(query["timeoutSeconds"]) <= 600
    assert int(query["resourceVersion"]) > 0
    return "watch"


async def _watched(cluster: Living, resource: str, times: int = 1) -> None:
    await cluster.until(lambda: [seen.verb for seen in cluster.asked(resource)].count("watch") >= times)
    await cluster.until_written(3)  # it has begun, and the cluster lives


async def test_a_pod_is_waited_for_until_it_is_gone(tmp_path: Path, watch_list: bool) -> None:
    async with living(tmp_path) as cluster:
        key = next(key for key in cluster.names(Kind.POD) if not key.startswith("kube-system/"))
        namespace, _, name = key.partition("/")
        what = ("--for=delete", f"pod/{name}", "-n", namespace)
        async with _waiting(cluster, *what, watch_list=watch_list) as process:
            await _watched(cluster, "pods")
            assert process.returncode is None
            cluster.perform("delete-pod", key)
        asked = cluster.asked("pods")
        assert _shapes(cluster, "pods") == (["watch list"] if watch_list else ["list any version", "watch"])
        assert all(seen.query["fieldSelector"] == f"metadata.name={name}" for seen in asked)
        assert key not in cluster.names(Kind.POD)


async def test_a_reflector_lists_again_where_a_log_is_moved_back_and_hears_what_is_skipped(
    tmp_path: Path,
) -> None:
    played = await PlayedLog.open(INCIDENT, SystemClock(), at="seq:400", speed=1, paused=True)
    async with FakeApiServer(played.store, pacing=played) as server:
        cluster = Living(server, None, tmp_path / "config")
        await asyncio.to_thread(cluster.config.write_text, yaml.safe_dump(server.kubeconfig()))
        key = min(set(await _pods(300)) & set(cluster.names(Kind.POD)) - set(await _pods(500)))
        namespace, _, name = key.partition("/")
        async with _waiting(
            cluster, "--for=delete", f"pod/{name}", "-n", namespace, watch_list=False
        ) as process:
            await cluster.until(lambda: _shapes(cluster, "pods") == ["list any version", "watch"])
            await played.timeline.seek("seq:300")
            await cluster.until(lambda: _shapes(cluster, "pods")[-2:] == ["list", "watch"])
            assert process.returncode is None
            await played.timeline.seek("seq:500")
        # A watch is told that its version is gone; one that lasted less than a second is not tried again before.
        assert _shapes(cluster, "pods")[2:] in (["watch", "list", "watch"], ["list", "watch"])
    await played.close()


async def _pods(seq: int) -> list[str]:
    log = await SqliteLog.open_read_only(INCIDENT)
    state = await log.state_at(seq)
    await log.close()
    return [f"{entry.key.namespace}/{entry.key.name}" for entry in state.entries(Kind.POD)]


# What happens, after how many changes of the node, and what is asked in all.
FAULTS = {
    "the connection is cut": ("drop", 1, ["list any version", "watch", "watch"], ["watch list", "watch"]),
    # client-go lists again when a watch lasted less than a second and brought nothing.
    "the connection is cut at once": (
        *("drop", 0),
        ["list any version", "watch", "list", "watch"],
        ["watch list", "list any version", "watch"],
    ),
    "an ERROR event of 410": (
        *("{error: {code: 410, reason: Expired}}", 1),
        ["list any version", "watch", "list", "watch"],
        ["watch list", "watch list"],
    ),
    "410 as a status": (
        *("{status: {code: 410, reason: Expired}}", 0),
        ["list any version", "watch", "list", "watch"],
        ["watch list", "watch list"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_reflector_gets_over_a_watch_that_fails(tmp_path: Path, fault: str, watch_list: bool) -> None:
    does, after, with_list, with_watch_list = FAULTS[fault]
    if after and watch_list:
        after += 1  # the node itself is the first object
    rule = f"- {{match: {{verb: watch, resource: nodes}}, when: {{event: {after}}}, do: {does}}}"
    async with living(tmp_path, faults=rule) as cluster:
        async with _waiting(cluster, "--for=delete", "node/node-1", watch_list=watch_list) as process:
            await _watched(cluster, "nodes")
            cluster.perform("cordon", "node-1")
            await _watched(cluster, "nodes", times=2)
            assert process.returncode is None
            cluster.perform("remove-node", "node-1")
        assert _shapes(cluster, "nodes") == (with_watch_list if watch_list else with_list)


async def test_a_reflector_whose_place_in_history_is_gone_begins_anew(
    tmp_path: Path, watch_list: bool
) -> None:
    async with living(tmp_path) as cluster:
        async with _waiting(cluster, "--for=delete", "node/node-1", watch_list=watch_list):
            await _watched(cluster, "nodes")
            cluster.perform("cordon", "node-1")
            await cluster.until_written(10)
            cluster.server.store.compact()
            cluster.server.disconnect()
            await _watched(cluster, "nodes", times=3)
            cluster.perform("remove-node", "node-1")
        assert _shapes(cluster, "nodes") == (
            ["watch list", "watch", "watch list"]
            if watch_list
            else ["list any version", "watch", "watch", "list", "watch"]
        )


async def test_reflectors_follow_a_namespace_until_nothing_is_left_of_it(tmp_path: Path) -> None:
    async with living(tmp_path) as cluster:
        namespace = next(key.partition("/")[0] for key in cluster.names(Kind.POD) if "system" not in key)
        pods = ("--for=delete", "pods", "--all", "-n", namespace)
        async with (
            _waiting(cluster, "--for=delete", f"namespace/{namespace}", watch_list=False),
            _waiting(cluster, *pods, watch_list=False),
        ):
            await _watched(cluster, "namespaces")
            await _watched(cluster, "pods")
            cluster.perform("delete-namespace", namespace)
        assert namespace not in cluster.names(Kind.NAMESPACE)
        assert not [key for key in cluster.names(Kind.POD) if key.startswith(f"{namespace}/")]
