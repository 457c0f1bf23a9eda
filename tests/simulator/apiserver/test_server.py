"""The server as a whole: its life, its log of requests, TLS, and the cluster that plays in it."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest

from kstream.clock import VirtualClock
from kstream.core.errors import BindError
from kstream.core.timeline.events import Kind, Verb
from simulator.apiserver.access import parse_tokens
from simulator.apiserver.faults import parse_script
from simulator.apiserver.feed import Pacing
from simulator.apiserver.server import FakeApiServer
from simulator.apiserver.simulated import SimulatedFeed
from simulator.apiserver.store import Record, Store
from simulator.apiserver.tls import make_certificate
from simulator.cluster.objects import Change
from simulator.simulation import Simulation
from simulator.story.scenario import load_scenario
from tests.simulator.apiserver.making import Answer, Writer, serving

SCENARIO = load_scenario("tour").adapted(nodes=5, pods=60, churn=5)
HAS_OPENSSL = shutil.which("openssl") is not None


async def test_the_log_says_who_asked_for_what_and_hides_the_token() -> None:
    access = parse_tokens(["viewer=view"])
    async with serving(Writer().store, access=access) as client:
        await client.get("/version", token="nobody")
        await client.get("/api/v1/namespaces/shop/pods?limit=5", token="viewer")
        await client.get("/api/v1/nodes/node-1?watch=1&timeoutSeconds=1", token="viewer")
        seen = list(client.server.requests)
    assert [(s.number, s.user, s.verb, s.resource, s.namespace, s.name) for s in seen] == [
        (1, "", "get", "", "", ""),
        (2, "viewer", "list", "pods", "shop", ""),
        (3, "viewer", "watch", "nodes", "", "node-1"),
    ]
    assert seen[1].target == "/api/v1/namespaces/shop/pods?limit=5"
    assert "authorization" not in seen[1].headers
    assert seen[1].headers["accept"] == "application/json"


async def test_a_write_reaches_the_watches_at_once() -> None:
    writer = Writer()
    writer.pod("a")
    async with (
        serving(writer.store) as client,
        client.session.get(f"{client.server.url}/api/v1/pods?watch=1&resourceVersion=1") as answer,
    ):
        writer.pod("b")
        line = json.loads(await answer.content.readline())
        assert (line["type"], line["object"]["metadata"]["name"]) == ("ADDED", "b")
        assert (line["object"]["kind"], line["object"]["apiVersion"]) == ("Pod", "v1")


async def test_a_client_that_leaves_takes_its_watch_with_it() -> None:
    writer = Writer()
    async with serving(writer.store) as client:
        async with client.session.get(f"{client.server.url}/api/v1/pods?watch=1"):
            assert writer.store.listeners == 2, "the server's own and the watch's"
        while writer.store.listeners > 1:
            await client.clock.advance(0.1)


async def test_a_restart_during_a_restart_is_over_with_the_longer_one() -> None:
    clock = VirtualClock()
    async with FakeApiServer(Store(), clock=clock) as server, aiohttp.ClientSession() as session:
        for down in (5, 3):
            server.restart(down=down)
        await clock.advance(4)
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"{server.url}/version")
        await clock.advance(2)
        async with session.get(f"{server.url}/version") as answer:
            assert answer.status == 200


async def test_closing_ends_every_watch_and_frees_the_port() -> None:
    async with aiohttp.ClientSession() as session:
        async with FakeApiServer(Store(), clock=VirtualClock()) as server:
            answer = await session.get(f"{server.url}/api/v1/pods?watch=1")
        with pytest.raises(aiohttp.ClientError):
            await answer.content.read()
        answer.close()
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"{server.url}/version")
        port = int(server.url.rpartition(":")[2])
        async with FakeApiServer(Store(), clock=VirtualClock(), port=port) as again:
            assert again.url == server.url
            with pytest.raises(BindError, match="choose another --port"):
                async with FakeApiServer(Store(), port=port):
                    pass


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("GET", "/apis/authorization.k8s.io/v1", 200),
        ("GET", "/apis/apps/v1", 404),
        ("GET", "/api/v1/secrets", 404),
        ("GET", "/api/v1/pods/a", 404),
        ("GET", "/api/v1/namespaces/shop/nodes", 404),
        ("DELETE", "/api/v1/namespaces/shop/pods/a", 405),
        ("POST", "/api/v1/namespaces/shop/pods", 405),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 400),
    ],
)
async def test_every_path_has_an_answer(method: str, path: str, status: int) -> None:
    async with serving(Writer().store) as client:
        answer = await client.get(path, method=method)
        assert answer.status == status, answer.body
        if status >= 400:
            assert answer.json()["kind"] == "Status"


async def test_only_what_can_be_written_is_accepted() -> None:
    async with serving(Writer().store) as client:
        answer = await client.get("/api/v1/pods", accept="application/vnd.kubernetes.protobuf")
        assert (answer.status, answer.json()["reason"]) == (406, "NotAcceptable")


@pytest.mark.skipif(not HAS_OPENSSL, reason="a certificate is made with openssl, which is not here")
def test_a_made_certificate_is_trusted_by_those_who_have_its_authority() -> None:
    certificate = make_certificate("127.0.0.1")

    async def talk() -> None:
        async with (
            FakeApiServer(Store(), certificate=certificate) as server,
            aiohttp.ClientSession() as session,
        ):
            trusting = ssl.create_default_context(cadata=certificate.authority)
            async with session.get(f"{server.url}/version", ssl=trusting) as answer:
                assert answer.status == 200
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(f"{server.url}/version")
            assert server.url.startswith("https://")
            assert "certificate-authority-data" in server.kubeconfig()["clusters"][0]["cluster"]

    asyncio.run(talk())


@pytest.mark.skipif(not HAS_OPENSSL, reason="a certificate is made with openssl, which is not here")
def test_a_client_certificate_says_who_asks(tmp_path: Path) -> None:
    certificate = make_certificate("localhost", users=["a", "stranger"])
    access = parse_tokens(["a=view", "b=none"])
    trusting = {}
    for user, client in certificate.clients.items():
        (tmp_path / user).write_text(client.certificate + client.key)
        trusting[user] = ssl.create_default_context(cadata=certificate.authority)
        trusting[user].load_cert_chain(tmp_path / user)

    async def talk() -> None:
        async with (
            FakeApiServer(Store(), certificate=certificate, access=access) as server,
            aiohttp.ClientSession() as session,
        ):
            statuses = {}
            for user, context in trusting.items():
                async with session.get(f"{server.url}/api/v1/pods", ssl=context) as answer:
                    statuses[user] = answer.status
            assert statuses == {"a": 200, "stranger": 401}
            assert server.requests[0].user == "a"
            users = {user["name"]: set(user["user"]) for user in server.kubeconfig()["users"]}
            assert users == {"a": {"client-certificate-data", "client-key-data"}, "b": {"token"}}

    asyncio.run(talk())


async def test_another_history_may_be_restored_under_the_same_address() -> None:
    async with serving(_named("old").store) as client:
        watching = asyncio.create_task(client.ask("/api/v1/pods?watch=1&resourceVersion=1"))
        await client.clock.advance(1)
        other = _named("new")
        client.server.restore(other.store)
        with pytest.raises(aiohttp.ClientError):
            await client.passing(_result(watching))
        page = (await client.get("/api/v1/pods")).json()
        assert [item["metadata"]["name"] for item in page["items"]] == ["new"]
        url = f"{client.server.url}/api/v1/pods?watch=1&resourceVersion=1"
        async with client.session.get(url) as answer:
            other.pod("newer")
            assert json.loads(await answer.content.readline())["object"]["metadata"]["name"] == "newer"


@pytest.mark.parametrize("rule", ["when: {after: 60}", "match: {verb: get}"])
async def test_a_script_puts_etcd_back(rule: str) -> None:
    clock, writer = VirtualClock(), Writer()
    writer.pod("kept", time=0.0)
    script = parse_script(f"faults: [{{{rule}, do: {{restore: {{back: 30, down: 5}}}}}}]")
    async with (
        FakeApiServer(writer.store, clock=clock, faults=script) as server,
        aiohttp.ClientSession() as session,
    ):
        writer.pod("lost", time=50.0)
        await clock.advance(60)
        pods = f"{server.url}/api/v1/pods"
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"{pods}/x")
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(pods)
        await clock.advance(5)
        async with session.get(pods) as answer:
            assert [item["metadata"]["name"] for item in (await answer.json())["items"]] == ["kept"]


def _named(name: str) -> Writer:
    writer = Writer()
    writer.pod(name)
    return writer


async def _result(task: asyncio.Task[Answer]) -> Answer:
    return await task


def test_a_kubeconfig_has_a_context_for_each_token() -> None:
    server = FakeApiServer(Store(), access=parse_tokens(["a=view", "b=none"]))
    config = server.kubeconfig()
    assert config["current-context"] == "a"
    assert [user["user"]["token"] for user in config["users"]] == ["a", "b"]
    assert FakeApiServer(Store()).kubeconfig()["users"][0]["user"] == {}
    # Without TLS there is nothing to verify: @kubernetes/client-node refuses http unless it is told so.
    assert config["clusters"][0]["cluster"]["insecure-skip-tls-verify"] is True


async def test_a_simulated_cluster_stands_at_once_and_plays_at_its_speed() -> None:
    clock, store = VirtualClock(), Store()
    pacing = Pacing(SimulatedFeed(Simulation(SCENARIO, seed=1)), store, clock, speed=10)
    standing = store.version
    assert store.count(Kind.POD) >= 60
    assert store.count(Kind.NODE) == 5
    start = pacing.now()
    async with FakeApiServer(store, clock=clock, pacing=pacing):
        await clock.advance(3)
        assert store.version > standing + 20
        assert pacing.now() - start == pytest.approx(30)


def test_the_same_seed_makes_the_same_history() -> None:
    def history(seed: int) -> list[bytes]:
        store = Store()
        feed = SimulatedFeed(Simulation(SCENARIO, seed=seed))
        for moment in (0.0, 3.3, 60.0):
            for change in feed.until((feed.next_time() or 0.0) + moment):
                store.apply(change)
        return [record.entry.body for kind in Kind for record in store.read(kind, 0, most=10_000)]

    assert history(1) == history(1)
    assert history(1) != history(2)


def test_what_a_simulated_cluster_starts_with_has_no_history_and_changes_nothing_of_what_follows() -> None:
    def played(*, load: bool) -> tuple[Store, Sequence[Record]]:
        store, feed = Store(), SimulatedFeed(Simulation(SCENARIO, seed=1))
        if load:
            feed.load(store)
        pacing = Pacing(feed, store, VirtualClock(), speed=1)
        standing = store.version
        for change in feed.until(pacing.now() + 30):
            store.apply(change)
        return store, store.read(Kind.POD, store.position(Kind.POD, standing), most=10_000)

    (plain, writes), (loaded, same) = played(load=False), played(load=True)
    assert len(writes) > 20
    assert [(write.time, write.entry) for write in same] == [(write.time, write.entry) for write in writes]
    assert loaded.snapshot(Kind.NODE).entries == plain.snapshot(Kind.NODE).entries
    assert (plain.compacted, loaded.compacted) == (0, writes[0].version - 1)


class _Broken:
    """A feed whose second change is older than its first."""

    def __init__(self) -> None:
        self._versions = [2, 1]

    def next_time(self) -> float | None:
        return 10.0 * (2 - len(self._versions)) if self._versions else None

    def until(self, time: float) -> list[Change]:
        version = self._versions.pop(0)
        metadata = {"name": f"node-{version}", "uid": str(version), "resourceVersion": str(version)}
        return [Change(time, Verb.ADDED, Kind.NODE, {"metadata": metadata})]


async def test_a_feed_that_goes_wrong_is_told_when_the_server_closes() -> None:
    clock, store = VirtualClock(), Store()
    pacing = Pacing(_Broken(), store, clock, speed=1)

    async def play() -> None:
        async with FakeApiServer(store, clock=clock, pacing=pacing) as server:
            await clock.advance(9)
            assert not server.failed.is_set()
            await clock.advance(1)
            assert server.failed.is_set()

    with pytest.raises(ValueError, match="version 1 is not newer than 2"):
        await play()


async def test_history_is_forgotten_when_it_is_old_in_the_clusters_time() -> None:
    clock, store = VirtualClock(), Store()
    pacing = Pacing(SimulatedFeed(Simulation(SCENARIO, seed=1)), store, clock, speed=1)
    async with FakeApiServer(store, clock=clock, pacing=pacing, compact_after=10):
        standing = store.version
        await clock.advance(5)
        assert store.compacted == 0
        await clock.advance(30)
        assert standing <= store.compacted < store.version
