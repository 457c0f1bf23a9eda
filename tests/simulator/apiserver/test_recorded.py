"""A log that is served as an API is the same log again for whoever watches it, from any moment on."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import msgspec
import pytest
import yaml

from kstream.clock import VirtualClock
from kstream.core.errors import LogError, LogFormatError, UsageError
from kstream.core.kube.resources import Decoded, decode_object
from kstream.core.timeline.events import Kind, Known, ObjectKey, Verb, WatchEvent, deleted_body
from kstream.core.timeline.recorder import Recorder
from kstream.core.timeline.state import ClusterState, with_pod_count
from kstream.logs.sqlite import SqliteLog
from kstream.sources.apiserver import ApiServer
from kstream.sources.kube import KubeSource
from kstream.sources.kubeconfig import KubeSettings
from simulator.apiserver.feed import Pacing
from simulator.apiserver.recorded import LogFeed, is_log, open_feed
from simulator.apiserver.server import FakeApiServer
from simulator.apiserver.simulated import SimulatedFeed
from simulator.apiserver.store import Store
from simulator.simulation import Simulation
from simulator.source import watch_event
from simulator.story.scenario import load_scenario
from tests.sources.recording import Recording

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"
TOUR = load_scenario("tour").adapted(nodes=4, pods=40, churn=2)
LASTS = 120.0  # seconds of the cluster that is recorded


async def record(path: Path, changes: Sequence[WatchEvent]) -> None:
    log = await SqliteLog.open(path)
    await log.append(changes)
    await log.close()


async def record_tour(path: Path) -> None:
    feed = SimulatedFeed(Simulation(TOUR, seed=3))
    end = (feed.next_time() or 0.0) + LASTS
    store = Store()
    feed.load(store)
    standing = [
        WatchEvent(Verb.ADDED, each.key, each.version, end - LASTS, each.body) for each in _decoded(store)
    ]
    told = Recorder(ClusterState()).take([*standing, *map(watch_event, feed.until(end))])
    await record(path, told)


def _decoded(store: Store) -> list[Decoded]:
    return [decode_object(kind, entry.body) for kind in Kind for entry in store.snapshot(kind).entries]


def pod(uid: str, *, name: str = "a", status: str = "Running") -> tuple[ObjectKey, bytes]:
    key = ObjectKey(Kind.POD, "shop", name, uid)
    return key, msgspec.json.encode({"name": name, "uid": uid, "phase": "Running", "status": status})


def event(verb: Verb, time: float, uid: str, **about: str) -> WatchEvent:
    key, body = pod(uid, **about)
    return WatchEvent(verb, key, "", time, deleted_body(key) if verb is Verb.DELETED else body)


async def state_of(path: Path, seq: int | None = None) -> ClusterState:
    log = await SqliteLog.open_read_only(path)
    state = await log.state_at(log.head if seq is None else seq)
    await log.close()
    return state


def bodies(state: ClusterState) -> dict[ObjectKey, bytes]:
    """By what a client is told: a namespace with the pods that it has now, a pod of an old log with no owner."""
    told = {}
    for entry in state:
        body = entry.body
        if entry.key.kind is Kind.NAMESPACE:
            body = with_pod_count(body, state.pod_count(entry.key.name))
        if entry.key.kind is Kind.POD and b',"owner":' not in body:
            body = body[:-1] + b',"owner":null}'
        told[entry.key] = body
    return told


@asynccontextmanager
async def watched(
    path: Path, folder: Path, *, at: str | None = None
) -> AsyncIterator[tuple[FakeApiServer, Recording]]:
    """The log as an API, and kstream's own source that watches it."""
    clock, store = VirtualClock(1_000_000.0), Store()
    feed = await open_feed(path, at=at)
    feed.load(store)
    pacing = Pacing(feed, store, clock, speed=1, start=feed.start, read=feed.read)
    async with FakeApiServer(store, clock=clock, pacing=pacing) as server:
        config = folder / "config"
        await asyncio.to_thread(config.write_text, yaml.safe_dump(server.kubeconfig()))
        source = KubeSource(
            ApiServer(KubeSettings(kubeconfig=str(config)), clock), clock=clock, rng=random.Random(1)
        )
        recording = Recording(source, clock, ClusterState(), Known({}, {}))
        running = asyncio.create_task(recording.run())
        try:
            yield server, recording
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            feed.close()


async def agree(server: FakeApiServer, recording: Recording, wanted: ClusterState) -> bool:
    for _ in range(2000):
        await recording.clock.advance(0.5)
        if server.played and bodies(recording.state) == bodies(wanted):
            return True
    return False


async def test_kstream_that_watches_a_simulated_recording_folds_to_the_same_state_byte_for_byte(
    tmp_path: Path,
) -> None:
    log = tmp_path / "tour.db"
    await record_tour(log)
    wanted = await state_of(log)
    assert len(wanted) > 40
    async with watched(log, tmp_path) as (server, recording):
        assert await agree(server, recording, wanted)
        versions = {entry.key: int(entry.version) for entry in recording.state}
        assert max(versions.values()) == wanted.seq, "the version of a write is its seq"


@pytest.mark.parametrize("at", [None, "+1m", "seq:300"])
async def test_kstream_that_watches_a_real_recording_ends_with_its_state_wherever_it_begins(
    tmp_path: Path, at: str | None
) -> None:
    async with watched(INCIDENT, tmp_path, at=at) as (server, recording):
        assert await agree(server, recording, await state_of(INCIDENT))


@pytest.mark.parametrize("seq", [1, 17, 250, 539])
async def test_what_stands_at_the_beginning_is_the_state_of_that_moment(tmp_path: Path, seq: int) -> None:
    feed = await open_feed(INCIDENT, at=f"seq:{seq}")
    store = Store()
    feed.load(store)
    feed.close()
    assert (store.version, store.compacted) == (seq, seq)
    wanted = bodies(await state_of(INCIDENT, seq))
    assert {each.key.uid for each in _decoded(store)} == {key.uid for key in wanted}


async def test_a_name_that_is_told_to_be_anothers_first_is_that_ones_and_the_last_deletion_is_no_news(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log.db"
    await record(
        log,
        [
            event(Verb.ADDED, 1.0, "old"),
            event(Verb.ADDED, 2.0, "new"),
            event(Verb.DELETED, 3.0, "old"),
            event(Verb.MODIFIED, 4.0, "new", status="Error"),
            event(Verb.DELETED, 5.0, "new"),
        ],
    )
    feed = await open_feed(log)
    store = Store()
    feed.load(store)
    await feed.read()
    told = [
        (each.verb, each.object["metadata"]["uid"], each.object["metadata"]["resourceVersion"])
        for each in feed.until(9.0)
    ]
    feed.close()
    assert told == [(Verb.ADDED, "new", "2"), (Verb.MODIFIED, "new", "4"), (Verb.DELETED, "new", "5")]
    both = await open_feed(log, at="seq:2")
    store = Store()
    both.load(store)
    both.close()
    assert [each.key.uid for each in _decoded(store)] == ["new"]


async def test_a_deletion_tells_the_object_as_it_last_was(tmp_path: Path) -> None:
    log = tmp_path / "log.db"
    await record(log, [event(Verb.ADDED, 1.0, "a"), event(Verb.DELETED, 2.0, "a")])
    feed = await open_feed(log)
    feed.load(Store())
    await feed.read()
    (gone,) = feed.until(2.0)
    feed.close()
    assert gone.object["status"]["phase"] == "Running"


async def test_times_never_go_back_and_a_long_log_is_read_bit_by_bit(tmp_path: Path) -> None:
    log = tmp_path / "log.db"
    times = [10.0, 5.0, *(20.0 for _ in range(2000))]
    await record(log, [event(Verb.ADDED, time, str(at), name=str(at)) for at, time in enumerate(times)])
    feed = await open_feed(log, at="seq:0")
    feed.load(Store())
    told: list[float] = []
    assert feed.next_time() is not None
    while feed.next_time() is not None:
        await feed.read()
        some = list(feed.until(100.0))
        assert len(some) <= 1000
        told += [change.time for change in some]
    feed.close()
    assert told == [10.0, 10.0, *(20.0 for _ in range(2000))]


async def test_it_stands_still_at_its_moment_while_it_is_paused(tmp_path: Path) -> None:
    clock, store = VirtualClock(0.0), Store()
    feed = await open_feed(INCIDENT, at="+1m")
    feed.load(store)
    pacing = Pacing(feed, store, clock, speed=1, start=feed.start, paused=True, read=feed.read)
    writes = store.writes
    async with FakeApiServer(store, clock=clock, pacing=pacing) as server:
        await clock.advance(3600)
        assert (server.cluster_time(), store.writes, server.played) == (feed.start, writes, True)
    feed.close()


@pytest.mark.parametrize("at", ["seq:540", "yesterday"])
async def test_a_point_that_is_none_is_wrong_usage(at: str) -> None:
    with pytest.raises(UsageError, match="--at"):
        await open_feed(INCIDENT, at=at)


@pytest.mark.parametrize(("at", "seq"), [("2000-01-01T00:00:00Z", 0), ("2100-01-01T00:00:00Z", 539)])
async def test_a_moment_outside_of_the_log_is_its_nearest_end(at: str, seq: int) -> None:
    feed = await open_feed(INCIDENT, at=at)
    store = Store()
    feed.load(store)
    feed.close()
    assert store.version == seq
    span = (await open_and_close(None), await open_and_close("-0s"))
    assert span[0] <= feed.start <= span[1]


async def open_and_close(at: str | None) -> float:
    feed = await open_feed(INCIDENT, at=at)
    feed.close()
    return feed.start


async def test_an_empty_log_and_a_damaged_one_are_refused(tmp_path: Path) -> None:
    log = tmp_path / "log.db"
    await record(log, [])
    with pytest.raises(LogError, match="Nothing was recorded"):
        await open_feed(log)
    await record(log, [event(Verb.ADDED, 1.0, "a"), event(Verb.ADDED, 2.0, "b", name="b")])
    key, _ = pod("c", name="c")
    broken = WatchEvent(Verb.ADDED, key, "", 3.0, b'{"phase":5}')
    log_2 = tmp_path / "log2.db"
    await record(log_2, [event(Verb.ADDED, 1.0, "a"), broken])
    feed: LogFeed = await open_feed(log_2)
    feed.load(Store())
    await feed.read()
    with pytest.raises(LogFormatError, match="damaged"):
        list(feed.until(9.0))
    feed.close()


def test_a_log_is_told_from_a_capture_by_its_first_bytes(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        database.execute("CREATE TABLE a (b)")
    (tmp_path / "b.jsonl").write_text("{}\n")
    assert is_log(tmp_path / "a.db")
    assert not is_log(tmp_path / "b.jsonl")
