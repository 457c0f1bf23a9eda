"""`kstream fake-apiserver`: a Kubernetes API server to point any client at."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click
import yaml

from kstream.clock import SystemClock
from kstream.commands.keys import Keys
from kstream.config import Finite, env_option
from kstream.core.errors import ConfigError
from kstream.ending import stop_on_signals
from simulator.apiserver.access import parse_tokens
from simulator.apiserver.control import Control
from simulator.apiserver.faults import FaultScript, read_script
from simulator.apiserver.feed import Pace, Pacing
from simulator.apiserver.recorded import PlayedLog, is_log
from simulator.apiserver.recording import Recording, read_recording
from simulator.apiserver.server import FakeApiServer
from simulator.apiserver.simulated import SimulatedFeed
from simulator.apiserver.store import Store
from simulator.apiserver.tls import make_certificate
from simulator.cluster import bounds
from simulator.simulation import Simulation
from simulator.story.durations import DEFAULT_START, moment
from simulator.story.scenario import DEFAULT, load_scenario


class Speed(click.ParamType[float | None]):
    """A factor, or `max`."""

    name = "N|max"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        if value == "max" or value is None:
            return None
        try:
            speed = float(str(value))
        except ValueError:
            speed = 0.0
        if not 0 < speed < float("inf"):
            self.fail(f"{value}: neither a number above 0 nor `max`", param, ctx)
        return speed


@click.command("fake-apiserver")
@env_option(
    "--recording",
    type=click.Path(path_type=Path),
    help="Serve what this event log holds, or a capture of an API server.",
)
@env_option(
    "--at",
    metavar="POINT",
    help="Begin here in the log: RFC 3339, seq:N, +90s (from its start), -5m (to its end).",
)
@env_option("--paused", is_flag=True, help="Nothing happens: what stands at the beginning stays.")
@env_option(
    "--control-port",
    type=click.IntRange(0, 65535),
    help="Play the log from /api/playback on this port of 127.0.0.1; 0 picks a free one.",
)
@env_option("--scenario", metavar="NAME|FILE", help="Serve a simulated cluster.  [default: tour]")
@env_option("--seed", type=click.IntRange(-(2**63), 2**63 - 1), default=1, help="Of the simulated cluster.")
@env_option("--nodes", type=click.IntRange(1, bounds.NODES), help="Nodes, instead of the scenario's number.")
@env_option("--pods", type=click.IntRange(0, bounds.PODS), help="Pods, instead of the scenario's number.")
@env_option(
    "--churn",
    type=Finite(0, bounds.CHURN),
    metavar="EVENTS_PER_S",
    help="Background events, instead of the scenario's.",
)
@env_option("--start", metavar="TIME", help="When simulated time begins.  [default: 2025-01-24T10:00:00Z]")
@env_option("--speed", type=Speed(), default="1", help="Seconds of the cluster per second.")
@env_option("--host", default="127.0.0.1", help="The address to listen on.")
@env_option("--port", type=click.IntRange(0, 65535), default=0, help="0 picks a free one.")
@env_option(
    "--tls/--no-tls",
    default=None,
    help="Serve TLS with a certificate made at the start.  [default: with --token, since kubectl tells no token "
    "without TLS]",
)
@env_option(
    "--token", "tokens", multiple=True, metavar="NAME=ROLE[,ROLE]", help="A bearer token and what it may."
)
@env_option(
    "--client-certificates", is_flag=True, help="Users have a certificate in the kubeconfig, not a token."
)
@env_option("--kubeconfig-out", type=click.Path(path_type=Path), help="Write a kubeconfig for this server.")
@env_option("--faults", type=click.Path(path_type=Path), help="What shall go wrong: a fault script (YAML).")
@env_option(
    "--compact-after",
    type=Finite(0, 1e9, min_open=True),
    default=300.0,
    metavar="SECONDS",
    help="Forget history that is older, in seconds of the cluster.",
)
@env_option(
    "--bookmark-interval",
    type=Finite(0, 1e9, min_open=True),
    default=60.0,
    metavar="SECONDS",
    help="Between the bookmarks of a watch.",
)
@env_option("--name", default="kstream-fake", help="What the kubeconfig calls the cluster.")
@env_option("--version", "git_version", default="v1.36.0", help="What /version says.")
def fake_apiserver(
    *,
    recording: Path | None,
    at: str | None,
    paused: bool,
    control_port: int | None,
    scenario: str | None,
    seed: int,
    nodes: int | None,
    pods: int | None,
    churn: float | None,
    start: str | None,
    speed: float | None,
    host: str,
    port: int,
    tls: bool | None,
    client_certificates: bool,
    tokens: tuple[str, ...],
    kubeconfig_out: Path | None,
    faults: Path | None,
    compact_after: float,
    bookmark_interval: float,
    name: str,
    git_version: str,
) -> None:
    """Serve the Kubernetes API of nodes, pods and namespaces, read-only: of a simulated cluster, or a recorded one.

    kubectl and informers work against it; a fault script makes it misbehave.
    """
    clock = SystemClock()
    if recording is not None and scenario is not None:
        raise click.UsageError("--recording and --scenario are two clusters: give one")
    log = recording if recording is not None and _is_log(recording) else None
    for option, given in (("--at", at), ("--control-port", control_port)):
        if log is None and given is not None:
            raise click.UsageError(f"{option} is for an event log: give one with --recording")
    if client_certificates and (not tokens or tls is False):
        raise click.UsageError(
            "--client-certificates gives a certificate to each user: name them with --token NAME=ROLE, and leave"
            " --no-tls out"
        )
    access = parse_tokens(tokens)
    users = access.users if client_certificates else ()
    store = Store()
    feed: Recording | SimulatedFeed | None = None
    if recording is not None and log is None:
        feed = read_recording(recording)
    elif log is None:
        adapted = load_scenario(scenario or DEFAULT).adapted(nodes=nodes, pods=pods, churn=churn)
        since = DEFAULT_START if start is None else moment(start, now=clock.time())
        feed = SimulatedFeed(Simulation(adapted, seed=seed, start=since))
    if feed is not None:
        feed.load(store)
    options: dict[str, Any] = {
        "access": access,
        "faults": read_script(faults) if faults is not None else FaultScript(),
        "certificate": make_certificate(host, users=users) if tls or (tls is None and tokens) else None,
        "host": host,
        "port": port,
        "name": name,
        "git_version": git_version,
        "bookmark_interval": bookmark_interval,
        "compact_after": compact_after,
    }

    async def serve() -> None:
        stop = asyncio.Event()
        async with AsyncExitStack() as stack:
            pace: Pace
            played = None
            if log is not None:
                played = pace = await PlayedLog.open(log, clock, at=at, speed=speed, paused=paused)
                stack.push_async_callback(played.close)
            elif feed is not None:  # pragma: no branch - there is a log or a feed
                pace = Pacing(feed, store, clock, speed=speed, paused=paused)
            server = FakeApiServer(played.store if played is not None else store, pacing=pace, **options)
            await _serve(server, stop, kubeconfig_out, played, control_port)

    asyncio.run(serve())


async def _serve(
    server: FakeApiServer,
    stop: asyncio.Event,
    kubeconfig_out: Path | None,
    played: PlayedLog | None,
    control_port: int | None,
) -> None:
    stop_on_signals(stop)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server)
        if kubeconfig_out is not None:
            text = yaml.safe_dump(server.kubeconfig(), sort_keys=False)
            await asyncio.to_thread(_write, kubeconfig_out, text)
        said = f", kubeconfig in {kubeconfig_out}" if kubeconfig_out is not None else ""
        if played is not None and control_port is not None:
            control = await stack.enter_async_context(Control(played.timeline, port=control_port))
            said += f", played from {control.url}"
        click.echo(f"fake API server on {server.url}{said} (Ctrl-C stops it)")
        works = [event.wait() for event in (stop, server.failed)]
        keys = [Keys(played.timeline, stop).run()] if played is not None else []
        tasks = [asyncio.create_task(work) for work in (*works, *keys)]
        await asyncio.wait(tasks[: len(works)], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _is_log(path: Path) -> bool:
    try:
        return is_log(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}; check the path") from error


def _write(path: Path, text: str) -> None:
    try:
        path.touch(mode=0o600)  # it holds tokens
        path.write_text(text)
    except OSError as error:
        raise ConfigError(
            f"cannot write {path}: {error.strerror}; choose another --kubeconfig-out"
        ) from error
