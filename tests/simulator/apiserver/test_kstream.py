"""kstream's live source against the fake server: whatever goes wrong, it ends with the state of the server.

The cluster is simulated and lives on while the faults happen; every time is virtual.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from kstream.clock import VirtualClock
from kstream.core.kube.resources import decode_object
from kstream.core.timeline.events import Kind, Known, ObjectKey
from kstream.core.timeline.state import ClusterState, with_pod_count
from kstream.sources.apiserver import ApiServer
from kstream.sources.kube import KubeSource
from kstream.sources.kubeconfig import KubeSettings
from simulator.apiserver.access import parse_tokens
from simulator.apiserver.faults import parse_script
from simulator.apiserver.feed import Feed, Pacing
from simulator.apiserver.server import FakeApiServer
from simulator.apiserver.simulated import SimulatedFeed
from simulator.apiserver.store import Store
from simulator.apiserver.tls import make_certificate
from simulator.cluster.objects import Change
from simulator.simulation import Simulation
from simulator.story.scenario import load_scenario
from tests.sources.recording import Recording

SCENARIO = load_scenario("tour").adapted(nodes=4, pods=40, churn=2)
LASTS = 120.0  # seconds that the cluster lives
PATIENCE = 700.0  # seconds until a client must have found out: a lost permission is probed every 5 minutes
PODS = "match: {verb: watch, resource: pods}"

NO_WATCH_LIST = (
    '- {match: {verb: watch, query: {sendInitialEvents: "true"}}, times: always, do: {status: {code: 422}}}\n'
)

FAULTS = {
    "no WatchList": NO_WATCH_LIST,
    "a page finds its version gone": NO_WATCH_LIST
    + "- {match: {verb: list, resource: pods}, do: compact}\n- {when: {after: 50}, do: compact}\n"
    "- {when: {after: 51}, do: drop}",
    "nothing": "",
    "a watch is cut": f"- {{{PODS}, when: {{event: 5}}, times: 5, do: drop}}",
    "watches end cleanly, looping": f"- {{{PODS}, when: {{event: 0}}, times: 5, do: end}}",
    "a torn line": f"- {{{PODS}, when: {{event: 3}}, times: 3, do: {{torn_line: 50}}}}",
    "a silent watch": f"- {{{PODS}, when: {{event: 3}}, do: silence}}",
    "a black hole": f"- {{{PODS}, when: {{request: 2}}, do: black_hole}}\n- {{{PODS}, when: {{event: 4}}, do: end}}",
    "bytes one by one": "- {match: {verb: watch, resource: nodes}, do: {slow: {bytes: 50, every: 0.001}}}",
    "lines twice and again": f"- {{{PODS}, when: {{event: 6}}, do: duplicate}}\n"
    f"- {{{PODS}, when: {{event: 9}}, do: stale}}",
    "no JSON": f"- {{{PODS}, when: {{event: 2}}, times: 2, do: {{line: '{{no'}}}}",
    "a line of 20 MiB": f"- {{{PODS}, when: {{event: 2}}, do: {{oversize: 20971520}}}}",
    "blank and unknown lines": f"- {{{PODS}, when: {{event: 1}}, do: {{line: ''}}}}\n"
    f'- {{{PODS}, when: {{event: 2}}, do: {{line: \'{{"type":"MOVED","object":{{}}}}\'}}}}',
    "ERROR Expired": f"- {{{PODS}, when: {{event: 4}}, times: 2, do: {{error: {{code: 410, reason: Expired}}}}}}",
    "ERROR without reason and code": f"- {{{PODS}, when: {{event: 4}}, times: 2, do: error}}",
    "ERROR 500": f"- {{{PODS}, when: {{event: 4}}, do: {{error: {{code: 500, reason: InternalError}}}}}}",
    "ERROR 429": f"- {{{PODS}, when: {{event: 4}}, do: {{error: {{code: 429, retry_after: 3}}}}}}",
    "410 as a status": f"- {{{PODS}, times: 2, do: {{status: {{code: 410, reason: Expired}}}}}}",
    "429 as text": f"- {{{PODS}, times: 2, do: {{status: {{code: 429, body: slow down, retry_after: 7}}}}}}",
    "503 and 502": NO_WATCH_LIST + "- {match: {verb: list}, times: 3, do: {status: {code: 503}}}\n"
    f"- {{{PODS}, times: 2, do: {{status: {{code: 502, body: <html/>, content_type: text/html}}}}}}",
    "compaction while a watch is cut": f"- {{{PODS}, when: {{event: 3, request: 2}}, do: compact}}\n"
    f"- {{{PODS}, when: {{event: 3}}, do: drop}}\n- {{when: {{after: 40}}, do: compact}}\n"
    "- {when: {after: 41}, do: drop}",
    "the server restarts": "- {when: {after: 20}, do: {restart: {down: 15}}}\n- {when: {after: 60}, do: restart}",
    "etcd is put back": "- {when: {after: 40}, do: {restore: {back: 25, down: 15}}}",
    "no bookmarks": "- {match: {verb: watch}, times: always, do: no_bookmarks}",
    "401 for a while": "- {match: {}, when: {after: 30}, lasting: 30, do: unauthorized}\n"
    "- {when: {after: 31}, do: drop}",
    "403 for a while": "- {match: {resource: pods}, when: {after: 30}, lasting: 40, do: forbidden}\n"
    "- {when: {after: 31}, do: drop}",
    "lists are slow": NO_WATCH_LIST + "- {match: {verb: list}, times: 3, do: {delay: 20}}",
}


class _Ending:
    """A feed that ends after a while."""

    def __init__(self, feed: Feed, end: float) -> None:
        self._feed = feed
        self._end = end

    def next_time(self) -> float | None:
        due = self._feed.next_time()
        return due if due is not None and due <= self._end else None

    def until(self, time: float) -> Iterable[Change]:
        return self._feed.until(time)


class Pair(NamedTuple):
    clock: VirtualClock
    server: FakeApiServer
    recording: Recording

    def agree(self) -> bool:
        """Name by name and byte by byte; the number of pods is kstream's own and counted on both sides."""
        state = self.recording.state
        for kind in Kind:
            ours = {entry.key: _counted(kind, entry.key, entry.body, state) for entry in state.entries(kind)}
            decoded = [decode_object(kind, entry.body) for entry in self.server.store.snapshot(kind).entries]
            if ours != {each.key: _counted(kind, each.key, each.body, state) for each in decoded}:
                return False
        return True

    async def pass_until_they_agree(self, patience: float) -> bool:
        end = self.clock.monotonic() + patience
        while self.clock.monotonic() < end:
            await self.clock.advance(0.5)
            if self.server.played and self.agree():
                return True
        return False


def _counted(kind: Kind, key: ObjectKey, body: bytes, state: ClusterState) -> bytes:
    return with_pod_count(body, state.pod_count(key.name)) if kind is Kind.NAMESPACE else body


CERTIFICATE = make_certificate("127.0.0.1")


@asynccontextmanager
async def _pair(folder: Path, rules: str, tokens: tuple[str, ...] = ("viewer=view",)) -> AsyncIterator[Pair]:
    clock, store = VirtualClock(1_000_000.0), Store()
    simulated = SimulatedFeed(Simulation(SCENARIO, seed=3))
    feed = _Ending(simulated, (simulated.next_time() or 0.0) + LASTS)
    server = FakeApiServer(
        store,
        clock=clock,
        pacing=Pacing(feed, store, clock, speed=1),
        access=parse_tokens(tokens),
        certificate=CERTIFICATE,  # nobody tells a token over http
        faults=parse_script(f"faults:\n{rules}") if rules else None,
    )
    async with server:
        config = folder / "config"
        await asyncio.to_thread(config.write_text, yaml.safe_dump(server.kubeconfig()))
        source = KubeSource(
            ApiServer(KubeSettings(kubeconfig=str(config)), clock), clock=clock, rng=random.Random(1)
        )
        state = ClusterState()
        record = Recording(source, clock, state, Known(state.versions(), {}))
        running = asyncio.create_task(record.run())
        try:
            yield Pair(clock, server, record)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("name", FAULTS)
async def test_the_states_agree_in_the_end(tmp_path: Path, name: str) -> None:
    async with _pair(tmp_path, FAULTS[name]) as pair:
        assert await pair.pass_until_they_agree(LASTS + PATIENCE), pair.recording.reports[-5:]
        assert pair.server.store.writes > 100
        # Which of the writes were seen, and which a list told together, is a matter of speed.
        assert "ADDED" in {event.split()[0] for event in pair.recording.events}
        assert not pair.server.unused_faults, "each was tried"
        watched = [seen for seen in pair.server.requests if seen.verb == "watch" and seen.resource == "pods"]
        assert watched
        assert all(seen.query.get("resourceVersion") not in ("", "0") for seen in watched), "LISTWATCH 2"


def _mishaps(seed: int) -> str:
    """Rules by chance: which streams, which requests, which events, what.

    Not `stale`: a server that tells an old state as news is believed until it tells another.
    """
    dice = random.Random(seed)
    in_stream = (
        *(
            "drop",
            "end",
            "silence",
            "duplicate",
            "one_chunk",
            "error",
            "{torn_line: 99}",
            "{line: '{'}",
        ),
        *(
            "{error: {code: 410, reason: Gone}}",
            "{error: {code: 429, retry_after: 2}}",
            "{oversize: 17000000}",
        ),
    )
    on_request = (
        *(
            "drop",
            "compact",
            "unauthorized",
            "black_hole",
            "forbidden",
            "{delay: 12}",
            "{restart: {down: 4}}",
        ),
        *("{status: {code: 410, reason: Gone}}", "{status: {code: 429, body: x}}", "{status: {code: 504}}"),
    )
    rules = []
    for _ in range(12):
        resource, request = dice.choice(("pods", "pods", "nodes", "namespaces")), dice.randint(1, 4)
        if dice.random() < 0.5:
            when = f"{{request: {request}, event: {dice.randint(0, 20)}}}"
            rules.append(
                f"- {{match: {{verb: watch, resource: {resource}}}, when: {when}, do: {dice.choice(in_stream)}}}"
            )
        else:
            verb = dice.choice(("list", "watch"))
            action = (
                f"when: {{request: {request}}}, times: {dice.randint(1, 3)}, do: {dice.choice(on_request)}"
            )
            rules.append(f"- {{match: {{verb: {verb}, resource: {resource}}}, {action}}}")
    start = NO_WATCH_LIST if dice.random() < 0.5 else ""
    return start + "\n".join([*rules, f"- {{when: {{after: {dice.randint(5, 100)}}}, do: compact}}"])


@pytest.mark.parametrize("seed", range(12))
async def test_the_states_agree_after_many_mishaps_at_once(tmp_path: Path, seed: int) -> None:
    async with _pair(tmp_path, _mishaps(seed)) as pair:
        assert await pair.pass_until_they_agree(LASTS + 2 * PATIENCE), pair.recording.reports[-5:]
