"""Whatever happens between an API server and a reflector: when it is quiet, both know the same (LISTWATCH 8).

The model server keeps objects, a history that can be compacted, and serves lists in pages from a snapshot; hypothesis
interleaves changes, drops, compactions, refusals and torn bytes with what the reflector asks for.
"""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kstream.core.timeline.events import Event, Kind
from kstream.core.timeline.recorder import Recorder
from kstream.core.timeline.state import ClusterState
from kstream.core.watching.contact import Contact
from kstream.core.watching.inventory import Inventory
from kstream.core.watching.reflection import Failure, Get, Moment, Output, Stream, Wait
from kstream.core.watching.reflector import Reflector
from tests.scripted import error, line, pod

_REFUSALS = (401, 403, 410, 429, 500, 503)


class ModelServer:
    def __init__(self) -> None:
        self.version = 1
        self.compacted = 0
        self.objects: dict[str, dict[str, Any]] = {}
        self.history: list[tuple[int, bytes]] = []
        self.uids = 0
        self._snapshots: dict[str, tuple[int, list[dict[str, Any]]]] = {}

    def change(self, name: str, what: str) -> None:
        self.version += 1
        version = str(self.version)
        before = self.objects.get(name)
        if what == "delete":
            if before is None:
                return
            del self.objects[name]
            after, verb = (
                {**before, "metadata": {**before["metadata"], "resourceVersion": version}},
                "DELETED",
            )
        elif before is None:
            self.uids += 1
            after, verb = pod(name, version, uid=f"u{self.uids}"), "ADDED"
            self.objects[name] = after
        else:
            phase = {"Running": "Failed"}.get(before["status"]["phase"], "Running")
            after, verb = pod(name, version, uid=before["metadata"]["uid"], phase=phase), "MODIFIED"
            self.objects[name] = after
        self.history.append((self.version, line(verb, after)))

    def compact(self) -> None:
        self.compacted = self.version
        self.history.clear()
        self._snapshots.clear()

    def page(self, token: str, limit: int) -> tuple[int, bytes]:
        if token:
            if token not in self._snapshots:
                return 410, b'{"kind":"Status","code":410,"reason":"Expired"}'
            version, rest = self._snapshots.pop(token)
        else:
            version, rest = self.version, [self.objects[name] for name in sorted(self.objects)]
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        items = rest[:limit]
        if rest[limit:]:
            metadata["continue"] = f"t{len(self._snapshots)}-{version}-{len(rest)}"
            self._snapshots[metadata["continue"]] = (version, rest[limit:])
        return 200, json.dumps({"metadata": metadata, "items": items}).encode()


class World:
    """A server, a reflector, the log that its events go to, and the connection between them."""

    def __init__(self, seed: int, *, watch_list: bool) -> None:
        self.rng = random.Random(seed)
        self.server = ModelServer()
        self.state = ClusterState()
        self.recorder = Recorder(self.state)
        self.committed = ""
        self.now = 0.0
        self.watch_list = watch_list
        self.start()

    def start(self) -> None:
        """Also what a restarted process does: it has what is committed, and nothing else."""
        inventory = Inventory(Kind.POD)
        inventory.load(self.state.versions().items())
        self.reflector = Reflector(
            Stream(Kind.POD), inventory, contact=Contact(), rng=self.rng, watch_list=self.watch_list
        )
        self.position: int | None = None  # the version that the open watch has sent
        self.initial = False

    @property
    def moment(self) -> Moment:
        return Moment(self.now, self.now)

    def take(self, output: Output) -> None:
        for change in self.recorder.take(output.events):
            self.state.apply(Event(self.state.seq + 1, change))
        if output.version is not None:
            self.committed = output.version
        if output.close:
            self.position = None

    def ask(self, *, refusal: int = 0, failure: Failure | None = None) -> None:
        """One request of the reflector, answered or not."""
        step = self.reflector.next_request(self.moment)
        if isinstance(step, Wait):
            self.now += step.seconds
            return
        if failure is not None:
            self.take(self.reflector.receive_failure(failure, "lost", self.moment))
        elif refusal:
            self.answer(refusal, json.dumps({"kind": "Status", "code": refusal}).encode())
        elif not step.watch:
            limit = 2 if "limit" in step.query else 10**6
            self.answer(*self.server.page(step.query.get("continue", ""), limit))
        else:
            self.open(step)

    def answer(self, status: int, body: bytes) -> None:
        self.take(self.reflector.receive_response(status, {}, self.moment))
        for start in range(0, len(body), 50):
            self.take(self.reflector.receive_data(body[start : start + 50], self.moment))
        self.take(self.reflector.receive_end(self.moment))

    def open(self, get: Get) -> None:
        self.initial = "resourceVersion" not in get.query
        self.position = self.server.version if self.initial else int(get.query["resourceVersion"])
        self.take(self.reflector.receive_response(200, {}, self.moment))
        if self.initial:
            metadata = {
                "resourceVersion": str(self.server.version),
                "annotations": {"k8s.io/initial-events-end": "true"},
            }
            objects = [line("ADDED", item) for item in self.server.objects.values()]
            self.send(b"".join([*objects, line("BOOKMARK", {"kind": "Pod", "metadata": metadata})]))

    def send(self, data: bytes) -> None:
        self.take(self.reflector.receive_data(data, self.moment))

    def pump(self, *, most: int = 10**6, torn: bool = False) -> None:
        """Let the open watch say what it has to say; `torn` cuts it in the middle of a line."""
        if self.position is None:
            return
        if self.position < self.server.compacted:
            self.send(error(410, "Expired"))
            self.position = None
            return
        due = [(version, data) for version, data in self.server.history if version > self.position][:most]
        if due:
            data = b"".join(data for _, data in due)
            self.position = due[-1][0]
            self.send(data[:-7] if torn else data)
        if torn:
            self.drop(Failure.CUT)

    def drop(self, failure: Failure | None) -> None:
        if self.position is None:
            return
        self.position = None
        if failure is None:
            self.take(self.reflector.receive_end(self.moment))
        else:
            self.take(self.reflector.receive_failure(failure, "lost", self.moment))

    def quieten(self) -> None:
        """No more trouble: ask and listen until the reflector is up to date."""
        for _ in range(200):
            if self.position is not None:
                self.pump()
            if self.position is None:
                self.ask()
        assert self.position is not None

    def known(self) -> dict[str, tuple[str, str]]:
        return {e.key.name: (e.key.uid, e.mark) for e in self.state.entries(Kind.POD)}

    def true(self) -> dict[str, tuple[str, str]]:
        return {
            name: (item["metadata"]["uid"], item["status"]["phase"])
            for name, item in self.server.objects.items()
        }


_names = st.sampled_from("abcdef")
_changes = st.lists(st.tuples(_names, st.sampled_from(["set", "set", "delete"])), max_size=4)
_troubles = st.one_of(
    st.tuples(st.just("end"), st.sampled_from([None, Failure.CUT, Failure.SILENT])),
    st.tuples(st.just("torn"), st.integers(1, 3)),
    st.tuples(st.just("error"), st.sampled_from([429, 500, 410])),
    st.tuples(st.just("garbage")),
    st.tuples(st.just("kill")),
    st.tuples(st.just("none")),
)
_answers = st.one_of(
    st.just("answer"),
    st.just("answer"),
    st.sampled_from(_REFUSALS),
    st.sampled_from([Failure.UNREACHED, Failure.LATE]),
)
_rounds = st.tuples(_changes, _troubles, _changes, st.booleans(), st.lists(_answers, max_size=5))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**16), st.booleans(), st.lists(_rounds, min_size=1, max_size=8))
def test_after_any_trouble_the_log_holds_what_the_server_holds(
    seed: int, watch_list: bool, rounds: list[tuple[Any, ...]]
) -> None:
    world = World(seed, watch_list=watch_list)
    for heard, trouble, unheard, compacted, answers in rounds:
        for name, what in heard:
            world.server.change(name, what)
        world.pump()
        world.now += world.rng.choice([0.5, 65.0, 400.0])
        _trouble(world, trouble)
        for name, what in unheard:
            world.server.change(name, what)
        if compacted:
            world.server.compact()
        for answer in answers:
            if world.position is None:
                world.ask(
                    refusal=answer if isinstance(answer, int) else 0,
                    failure=answer if isinstance(answer, Failure) else None,
                )
    world.quieten()
    assert world.known() == world.true()


def _trouble(world: World, trouble: tuple[Any, ...]) -> None:
    match trouble:
        case ("kill",):
            world.start()
        case _ if world.position is None:
            pass
        case ("end", failure):
            world.drop(failure)
        case ("torn", most):
            world.server.change("f", "set")
            world.pump(most=most, torn=True)
        case ("error", code):
            world.send(error(code, ""))
            world.position = None
        case ("garbage",):
            world.send(b"{]\n")
            world.position = None


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**16), st.lists(st.tuples(_names, st.sampled_from(["set", "delete"])), max_size=20))
def test_a_restart_between_any_two_deliveries_repeats_nothing(
    seed: int, changes: list[tuple[str, str]]
) -> None:
    world = World(seed, watch_list=False)
    world.quieten()
    for name, what in changes:
        world.server.change(name, what)
        world.start()
        world.ask()
        world.pump()
    world.quieten()
    assert world.known() == world.true()
    # A list tells the last of what happened to an object while nobody watched.
    assert world.state.seq <= len(world.server.history)
