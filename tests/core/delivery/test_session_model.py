"""Sessions in any order of what can happen to them, and at any rate."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kstream.core.delivery import snapshot
from kstream.core.delivery.backlog import Backlog
from kstream.core.delivery.filters import EVERYTHING, Filter
from kstream.core.delivery.frames import text_frame
from kstream.core.delivery.limits import Limits
from kstream.core.delivery.session import Session
from kstream.core.delivery.view import catch_up
from kstream.core.timeline.events import Event, Kind, ObjectKey, Verb
from kstream.core.timeline.recorder import Recorder
from kstream.core.timeline.state import ClusterState, with_pod_count
from tests.clientfold import ClientFold
from tests.core.delivery.sessions import LIMITS, metrics, sent, session_on, synced
from tests.frames_reader import FrameReader
from tests.making import START, change, namespace_key, node_key, numbered, pod_key, take


class Clients(RuleBasedStateMachine):
    """Clients that stall, drop, resume, refilter and come back, against one changing cluster.

    After each quiet point every client has what it watches of the state, having seen nothing twice and never more
    than the limits.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.state = ClusterState()
        self.recorder = Recorder(ClusterState())
        self.backlog = Backlog(head=0, limits=Limits(window_events=40))
        self.history: list[Event] = []
        self.uids = 0
        self.offered = 0  # metrics so far
        self.alive: list[ObjectKey] = []
        self.clients: list[dict[str, Any]] = []
        self._churn(6, 1)

    @rule(count=st.integers(1, 60), seed=st.integers(0, 2**16))
    def churn(self, count: int, seed: int) -> None:
        self._churn(count, seed)

    def _churn(self, count: int, seed: int) -> None:
        changes = []
        for step in range(count):
            choice = (seed * 31 + step * 7919) % 10
            if choice < 4 or not self.alive:
                self.uids += 1
                name, uid = f"o{self.uids % 13}", f"uid{self.uids}"
                key = (
                    node_key(uid)
                    if choice == 0
                    else namespace_key(f"ns{self.uids % 3}")
                    if choice == 1
                    else pod_key(name, f"ns{self.uids % 3}", uid)
                )
                if key not in self.alive:
                    self.alive.append(key)
                    changes.append(change(Verb.ADDED, key))
            elif choice < 8:
                key = self.alive[(seed + step) % len(self.alive)]
                changes.append(change(Verb.MODIFIED, key, note=f"{seed}.{step}"))
            else:
                key = self.alive.pop((seed + step) % len(self.alive))
                changes.append(change(Verb.DELETED, key))
        kept = self.recorder.take(changes)
        if kept:
            events = numbered(kept, after=self.state.seq)
            self.history += events
            for event in events:
                self.state.apply(event)
            take(self.backlog, events)

    @rule(seconds=st.sampled_from([0.0, 0.01, 0.07, 1.0, 9.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: len(self.clients) < 5)
    @rule(names=st.frozensets(st.sampled_from(["ns0", "ns1", "ns2"])))
    def join(self, names: frozenset[str]) -> None:
        session = session_on(self.backlog, Filter(names or None), self.now)
        self.clients.append(
            {
                "session": session,
                "fold": ClientFold(),
                "sent": [],
                "metrics": self.offered,
                "owed": self.offered,
            }
        )

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def one_reads(self, data: st.DataObject) -> None:
        self._read(data.draw(st.sampled_from(self.clients)))

    @rule()
    def those_in_lock_step_read(self) -> None:
        """What the hub does: one flush for all in a lane."""
        for lane in {client["session"].lane for client in self.clients if client["session"].riding}:
            riders = [client for client in self.clients if client["session"].lane is lane]
            assert lane.riders == len(riders)
            frames = lane.events(self.now)
            if frames is None:
                for client in riders:
                    self._read(client)
            elif frames:
                for client in riders:
                    self._take(client, frames[0])
                    if len(frames) > 1:
                        client["session"].follow_up(frames[1:])

    @rule()
    def metrics_come(self) -> None:
        """What the hub does: those in a lane are offered theirs together."""
        self.offered += 1
        message = metrics(self.offered)
        for lane in {client["session"].lane for client in self.clients if client["session"].riding}:
            lane.metrics = text_frame(message, lane.bits)
        for client in self.clients:
            client["owed"] = self.offered
            if not client["session"].riding:
                client["session"].offer_metrics(message)

    @precondition(lambda self: len(self.clients) > 1)
    @rule(data=st.data())
    def two_fall_into_step(self, data: st.DataObject) -> None:
        one, other = (data.draw(st.sampled_from(self.clients))["session"] for _ in range(2))
        if (
            one.riding
            and other.riding
            and one.lane is not other.lane
            and one.lane.takes(other.lane, self.now)
        ):
            for client in self.clients:
                if client["session"].lane is other.lane and client["session"] is not other:
                    client["session"].step_in(one.lane)
            other.step_in(one.lane)

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), names=st.frozensets(st.sampled_from(["ns0", "ns1", "ns2"])))
    def one_subscribes(self, data: st.DataObject, names: frozenset[str]) -> None:
        client = data.draw(st.sampled_from(self.clients))
        text = json.dumps({"type": "subscribe", "namespaces": sorted(names)})
        client["session"].receive(text, now=self.now, time=START)

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def one_pings(self, data: st.DataObject) -> None:
        client = data.draw(st.sampled_from(self.clients))
        client["session"].receive('{"type":"ping","timestamp":"x"}', now=self.now, time=START)
        answers = self._read(client)
        assert answers[0]["type"] in ("pong", "error") or not self._has_tokens(client)

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def one_drops_and_resumes(self, data: st.DataObject) -> None:
        client = data.draw(st.sampled_from(self.clients))
        old, fold = client["session"], client["fold"]
        old.leave()
        watched = old.view.filter
        session = session_on(self.backlog, watched, self.now)
        client["session"], client["sent"], client["owed"] = session, [], client["metrics"]
        if fold.seq is not None and not old.wants_snapshot:
            if fold.seq >= self.backlog.floor:
                session.catch_up(fold.seq)
                return
            missed = self.history[fold.seq :]
            frames = catch_up(missed, watched, head=self.state.seq, time=START, window_bits=0)
            session.resume(self.state.seq, frames)
        else:
            client["fold"] = ClientFold()

    def _has_tokens(self, client: dict[str, Any]) -> bool:
        stamps: list[float] = client["sent"]
        return sum(at > self.now - 60 for at in stamps) < LIMITS.burst

    def _read(self, client: dict[str, Any]) -> list[dict[str, Any]]:
        session: Session = client["session"]
        if session.wants_snapshot:
            taken = snapshot.capture(self.state, session.view.filter)
            session.give(snapshot.encode(taken, time=START, window_bits=0))
        data = session.flush(self.now)
        if session.due <= self.now:
            data += session.flush(self.now)
        session.pong(0, now=self.now, time=0.0)
        if session.plain and not session.riding:
            lanes = [other["session"].lane for other in self.clients if other["session"].riding]
            session.step_in(next((lane for lane in lanes if lane.takes(session.lane, self.now)), None))
        return self._take(client, data)

    def _take(self, client: dict[str, Any], data: bytes) -> list[dict[str, Any]]:
        messages = FrameReader().messages(data)
        for message in messages:
            client["fold"].take(message)
            client["sent"].append(self.now)
            if message["type"] == "metrics":
                assert message["data"]["totalNodes"] > client["metrics"], "never twice, and the newest last"
                client["metrics"] = message["data"]["totalNodes"]
        return messages

    @invariant()
    def the_limits_are_kept(self) -> None:
        for client in self.clients:
            stamps: list[float] = client["sent"]
            assert sum(at == self.now for at in stamps) <= LIMITS.burst
            assert sum(at > self.now - 60 for at in stamps) <= LIMITS.per_minute

    @rule()
    def all_becomes_quiet(self) -> None:
        self._settle()

    def _settle(self) -> None:
        for client in self.clients:
            for _ in range(20):
                self._read(client)
                if client["session"].caught_up:
                    break
                self.now += 0.2
            session: Session = client["session"]
            assert session.caught_up
            assert client["metrics"] == client["owed"]
            expected = {}
            for entry in self.state:
                if entry.key in session.view.filter:
                    body = entry.body
                    if entry.key.kind is Kind.NAMESPACE:
                        body = with_pod_count(body, 0)
                    expected[entry.key.uid] = json.loads(body)
            have = {
                uid: {**item, "podCount": 0} if "podCount" in item else item
                for uid, item in client["fold"].objects.items()
            }
            assert have == expected

    def teardown(self) -> None:
        self._settle()


Clients.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestClients = Clients.TestCase


@pytest.mark.parametrize("rate", [1, 10, 100, 1000])
def test_at_any_steady_rate_a_client_is_at_most_one_refill_behind(rate: int) -> None:
    backlog = Backlog(head=0)
    session = synced(backlog)
    step = 0.005
    behind_since: float | None = None
    worst = 0.0
    published = 0
    for tick in range(int(20 / step)):
        now = tick * step
        while published < now * rate:
            published += 1
            take(backlog, [Event(published, change(Verb.MODIFIED, pod_key(f"p{published % 7}")))])
            behind_since = now if behind_since is None else behind_since
        if sent(session, now):
            worst = max(worst, now - (behind_since or now))
        if session.caught_up:
            behind_since = None
        if session.asked:
            session.pong(0, now=now, time=0.0)
    assert session.caught_up or behind_since is not None
    assert worst <= 1 / LIMITS.rate + 2 * step


def test_a_cut_state_goes_as_tokens_allow_and_ends_with_the_seq() -> None:
    state = ClusterState()
    for event in numbered([change(Verb.ADDED, pod_key(f"p{n}"), note="x" * 900_000) for n in range(35)]):
        state.apply(event)
    backlog = Backlog(head=35)
    session = session_on(backlog)
    session.give(snapshot.encode(snapshot.capture(state, EVERYTHING), time=START, window_bits=0))
    fold = ClientFold()
    kinds = []
    while not session.caught_up:
        for message in sent(session, 0.0):
            fold.take(message)
            kinds.append((message["type"], message.get("seq")))
    assert kinds == [("initial_state", None), ("batch", None), ("batch", None), ("batch", 35)]
    assert len(fold.objects) == 35
