"""A log that is served as an API is the same log again for whoever watches it, from any moment on."""

from __future__ import annotations

import asyncio
import json
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
from simulator.apiserver.recorded import PlayedLog, is_log
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
) -> AsyncIterator[tuple[PlayedLog, Recording]]:
    """The log as an API, and kstream's own source that watches it."""
    clock = VirtualClock(1_000_000.0)
    played = await PlayedLog.open(path, clock, at=at, speed=1, paused=False)
    async with FakeApiServer(played.store, clock=clock, pacing=played) as server:
        config = folder / "config"
        await asyncio.to_thread(config.write_text, yaml.safe_dump(server.kubeconfig()))
        source = KubeSource(
            ApiServer(KubeSettings(kubeconfig=str(config)), clock), clock=clock, rng=random.Random(1)
        )
        recording = Recording(source, clock, ClusterState(), Known({}, {}))
        running = asyncio.create_task(recording.run())
        try:
            yield played, recording
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await played.close()


async def agree(played: PlayedLog, recording: Recording, wanted: ClusterState) -> bool:
    for _ in range(2000):
        await recording.clock.advance(0.5)
        if played.ended and bodies(recording.state) == bodies(wanted):
            return True
    return False


async def test_kstream_that_watches_a_simulated_recording_folds_to_the_same_state_byte_for_byte(
    tmp_path: Path,
) -> None:
    log = tmp_path / "tour.db"
    await record_tour(log)
    wanted = await state_of(log)
    assert len(wanted) > 40
    async with watched(log, tmp_path) as (played, recording):
        assert await agree(played, recording, wanted)
        versions = {entry.key: int(entry.version) for entry in recording.state}
        assert max(versions.values()) == wanted.seq, "the version of a write is its seq"


@pytest.mark.parametrize("at", [None, "+1m", "seq:300"])
async def test_kstream_that_watches_a_real_recording_ends_with_its_state_wherever_it_begins(
    tmp_path: Path, at: str | None
) -> None:
    async with watched(INCIDENT, tmp_path, at=at) as (played, recording):
        assert await agree(played, recording, await state_of(INCIDENT))


async def test_kstream_that_watches_has_the_state_of_each_moment_that_the_log_is_moved_to(
    tmp_path: Path,
) -> None:
    async with watched(INCIDENT, tmp_path, at="seq:200") as (played, recording):
        timeline = played.timeline
        timeline.pause()
        version, dice = 0, random.Random(5)
        for seq in (450, 300, 300, 12, 500, *(dice.randrange(1, 540) for _ in range(5))):
            before = played.store.version
            back = before % 1_000_000_000 > seq
            await timeline.seek(f"seq:{seq}")
            wanted = await state_of(INCIDENT, seq)
            assert await agree(played, recording, wanted), seq
            # Behind the billions it is the seq; a watch from before cannot go on where history went back.
            assert (
                played.store.version == before // 1_000_000_000 * 1_000_000_000 + back * 1_000_000_000 + seq
            )
            assert (played.store.compacted > before) is back
            assert played.store.version >= version
            version = played.store.version
            assert played.now() == wanted.time
        timeline.step()
        assert await agree(played, recording, await state_of(INCIDENT, seq + 1))
        timeline.set_speed("max")
        timeline.play()
        assert await agree(played, recording, await state_of(INCIDENT))
        timeline.play()  # again, from the beginning
        assert not played.ended
        timeline.pause()
        assert await agree(played, recording, await state_of(INCIDENT, 0))


@asynccontextmanager
async def played_log(
    path: Path, *, at: str | None = None, speed: float | None = None, paused: bool = False
) -> AsyncIterator[tuple[PlayedLog, FakeApiServer, VirtualClock]]:
    clock = VirtualClock(0.0)
    played = await PlayedLog.open(path, clock, at=at, speed=speed, paused=paused)
    try:
        async with FakeApiServer(played.store, clock=clock, pacing=played) as server:
            yield played, server, clock
    finally:
        await played.close()


def records(store: Store) -> list[tuple[Verb, str, int, float]]:
    return sorted(
        (
            (each.verb, json.loads(each.entry.body)["metadata"]["uid"], each.version, each.time)
            for kind in Kind
            for each in store.read(kind, store.position(kind, store.compacted), most=10_000)
        ),
        key=lambda each: each[2],
    )


async def settle(clock: VirtualClock) -> None:
    for _ in range(100):
        await clock.advance(0.1)
        await asyncio.to_thread(int)  # the log is read in a thread, which has its turn too


@pytest.mark.parametrize("seq", [1, 17, 250, 539])
async def test_what_stands_at_the_beginning_is_the_state_of_that_moment(seq: int) -> None:
    async with played_log(INCIDENT, at=f"seq:{seq}", paused=True) as (played, server, _):
        assert (server.store.version, server.store.compacted) == (seq, seq)
        wanted = bodies(await state_of(INCIDENT, seq))
        assert {each.key.uid for each in _decoded(played.store)} == {key.uid for key in wanted}


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
    async with played_log(log) as (played, server, clock):
        await settle(clock)
        assert [each[:3] for each in records(server.store)] == [
            (Verb.ADDED, "new", 2),
            (Verb.MODIFIED, "new", 4),
            (Verb.DELETED, "new", 5),
        ]
        await played.timeline.seek("seq:1")
        played.timeline.pause()
        await settle(clock)
        # Two writes, of which the log has one event: there is no version for both, so history begins anew.
        await played.timeline.seek("seq:2")
        await settle(clock)
        assert [each.key.uid for each in _decoded(server.store)] == ["new"]
        assert server.store.version == 2_000_000_002
    async with played_log(log, at="seq:2", paused=True) as (played, _, _):
        assert [each.key.uid for each in _decoded(played.store)] == ["new"]


async def test_what_is_skipped_is_told_as_its_difference_with_versions_up_to_where_it_goes(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log.db"
    some = [event(Verb.ADDED, 1.0, uid, name=uid) for uid in ("goes", "changes", "stays", "again-1")]
    later = [
        event(Verb.DELETED, 2.0, "goes", name="goes"),
        event(Verb.MODIFIED, 3.0, "changes", name="changes", status="Error"),
        event(Verb.MODIFIED, 4.0, "changes", name="changes", status="Unknown"),
        event(Verb.ADDED, 5.0, "comes", name="comes"),
        event(Verb.DELETED, 6.0, "again-1", name="again-1"),
        event(Verb.ADDED, 7.0, "again-2", name="again-1"),
        event(Verb.ADDED, 8.0, "passes", name="passes"),
        event(Verb.DELETED, 9.0, "passes", name="passes"),
    ]
    await record(log, [*some, *later])
    async with played_log(log, at="seq:4", paused=True) as (played, server, clock):
        await played.timeline.seek("seq:12")
        await settle(clock)
        told = records(server.store)
        assert [(verb, uid) for verb, uid, _, _ in told] == [
            (Verb.DELETED, "goes"),
            (Verb.DELETED, "again-1"),
            (Verb.MODIFIED, "changes"),
            (Verb.ADDED, "comes"),
            (Verb.ADDED, "again-2"),
        ]
        assert [(version, time) for _, _, version, time in told] == [(at, 9.0) for at in range(8, 13)]


async def test_a_deletion_tells_the_object_as_it_last_was(tmp_path: Path) -> None:
    log = tmp_path / "log.db"
    await record(log, [event(Verb.ADDED, 1.0, "a"), event(Verb.DELETED, 2.0, "a")])
    async with played_log(log) as (_, server, clock):
        await settle(clock)
        (gone,) = server.store.read(Kind.POD, server.store.position(Kind.POD, 1))
        assert json.loads(gone.entry.body)["status"]["phase"] == "Running"


async def test_times_never_go_back_and_others_have_their_turn(tmp_path: Path) -> None:
    log = tmp_path / "log.db"
    times = [10.0, 5.0, *(20.0 for _ in range(1200))]
    await record(log, [event(Verb.ADDED, time, str(at), name=str(at)) for at, time in enumerate(times)])
    async with played_log(log, at="seq:0") as (_, server, clock):
        while server.store.version < len(times):  # they are read by a thread, which no virtual clock moves
            await settle(clock)
        told = records(server.store)
        assert [time for *_, time in told] == [10.0, 10.0, *(20.0 for _ in range(1200))]
        assert [version for _, _, version, _ in told] == list(range(1, 1203))


async def test_times_never_go_back_after_a_move_to_where_the_clock_of_the_recorder_had(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log.db"
    times = (1.0, 10.0, 5.0, 6.0, 11.0)
    await record(log, [event(Verb.ADDED, time, str(at), name=str(at)) for at, time in enumerate(times)])
    async with played_log(log, at="seq:2", paused=True) as (played, server, clock):
        await played.timeline.seek("seq:3")
        await settle(clock)
        played.timeline.play()
        await settle(clock)
        assert [(version, time) for *_, version, time in records(server.store)] == [
            (3, 10.0),
            (4, 10.0),
            (5, 11.0),
        ]


async def test_it_stands_still_at_its_moment_while_it_is_paused() -> None:
    async with played_log(INCIDENT, at="+1m", paused=True) as (played, server, clock):
        writes, time = server.store.writes, server.cluster_time()
        await clock.advance(3600)
        assert (server.cluster_time(), server.store.writes, server.played) == (time, writes, True)
        assert played.lasting(5.0) == 0.0
        played.timeline.play()
        assert played.lasting(5.0) == 0.0  # as fast as it goes
        played.timeline.set_speed(4)
        assert played.lasting(8.0) == 2.0


@pytest.mark.parametrize("at", ["seq:540", "yesterday"])
async def test_a_point_that_is_none_is_wrong_usage(at: str) -> None:
    with pytest.raises(UsageError, match="--at"):
        async with played_log(INCIDENT, at=at):
            pass


@pytest.mark.parametrize(
    ("at", "seq"), [("2000-01-01T00:00:00Z", 0), ("2100-01-01T00:00:00Z", 539), (None, 4)]
)
async def test_a_moment_outside_of_the_log_is_its_nearest_end(at: str | None, seq: int) -> None:
    async with played_log(INCIDENT, at=at, paused=True) as (played, server, _):
        assert server.store.version == seq
        span = played.timeline.playback
        assert span["at"] == span["end" if seq == 539 else "start"]


async def test_an_empty_log_and_a_damaged_one_are_refused(tmp_path: Path) -> None:
    log = tmp_path / "log.db"
    await record(log, [])
    with pytest.raises(LogError, match="Nothing was recorded"):
        async with played_log(log):
            pass
    key, _ = pod("c", name="c")
    broken = WatchEvent(Verb.ADDED, key, "", 3.0, b'{"phase":5}')
    await record(log, [event(Verb.ADDED, 1.0, "a"), broken])
    damaged = played_log(log)
    _, server, clock = await damaged.__aenter__()
    await settle(clock)
    assert server.failed.is_set()
    with pytest.raises(LogFormatError, match="damaged"):
        await damaged.__aexit__(None, None, None)


def test_a_log_is_told_from_a_capture_by_its_first_bytes(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        database.execute("CREATE TABLE a (b)")
    (tmp_path / "b.jsonl").write_text("{}\n")
    assert is_log(tmp_path / "a.db")
    assert not is_log(tmp_path / "b.jsonl")
