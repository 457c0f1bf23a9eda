"""`kstream simulate`: a simulated cluster, served; and `kstream sim`: taking a hand in one that runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import click
import yaml

from kstream.clock import SystemClock
from kstream.commands.address import page_url
from kstream.commands.keeping import keep_settings, keeping_options, retention
from kstream.commands.serving import fitted, serve_until_stopped
from kstream.config import Finite, ServeSettings, env_option, serve_settings, serving_options, workers_option
from kstream.connecting import why_not
from kstream.core.errors import ConfigError, InvalidMessageError, KstreamError, UnreachableError, UsageError
from kstream.core.timeline.retention import Keep
from kstream.documents import read_document
from kstream.logs.leftovers import sweep
from kstream.logs.sqlite import SqliteLog
from kstream.ports import Clock
from kstream.processlog.setup import process_log
from kstream.run import Server
from kstream.workers.crew import Crew
from simulator.cluster import bounds
from simulator.orders import parse_speed
from simulator.source import SimulatorSource
from simulator.story.actions import action_names
from simulator.story.durations import DEFAULT_START, moment, span
from simulator.story.scenario import DEFAULT, load_scenario, shipped

CONTROLS = ("status", "pause", "play", "step", "speed")


def build(
    *,
    clock: Clock | None = None,
    scenario: str = DEFAULT,
    seed: int = 1,
    nodes: int | None = None,
    pods: int | None = None,
    churn: float | None = None,
    speed: str = "1",
    start: str | None = None,
    at: str | None = None,
    paused: bool = False,
    duration: str | None = None,
) -> SimulatorSource:
    """A source from what the options say. Raises UsageError for an option that makes no sense."""
    clock = clock or SystemClock()
    try:
        pace = parse_speed(speed)
        begins = DEFAULT_START if start is None else moment(start, now=clock.time())
        ahead = 0.0 if at is None else span(at, option="--at", most=bounds.SPAN)
        lasts = None if duration is None else span(duration, option="--duration", most=bounds.LIFE)
    except InvalidMessageError as error:
        raise UsageError(f"--{error.details}") from None
    return SimulatorSource(
        load_scenario(scenario).adapted(nodes=nodes, pods=pods, churn=churn),
        clock=clock,
        seed=seed,
        start=begins,
        adopt_start=start in (None, "now"),
        speed=pace,
        at=ahead,
        paused=paused,
        duration=lasts,
    )


@click.command()
@env_option(
    "--scenario",
    default=DEFAULT,
    metavar="NAME|FILE",
    help="What happens: a shipped scenario (see --list) or a YAML file.",
)
@env_option("--list", "listed", is_flag=True, help="Print the shipped scenarios and stop.")
@env_option(
    "--seed",
    type=click.IntRange(-(2**63), 2**63 - 1),
    default=1,
    help="The same seed tells the same story, byte for byte.",
)
@env_option("--nodes", type=click.IntRange(1, bounds.NODES), help="Nodes, instead of the scenario's number.")
@env_option(
    "--pods", type=click.IntRange(0, bounds.PODS), help="Pods in all, instead of the scenario's number."
)
@env_option(
    "--churn",
    type=Finite(0, bounds.CHURN),
    metavar="EVENTS_PER_S",
    help="Background events a second of simulated time, instead of the scenario's.",
)
@env_option("--speed", default="1", metavar="N|max", help="Simulated seconds for a second.")
@env_option(
    "--start",
    metavar="TIME",
    help="When simulated time begins; `now` for today.  [default: 2025-01-24T10:00:00Z]",
)
@env_option("--at", metavar="SPAN", help="Begin so long into the scenario: 2m.")
@env_option("--paused", is_flag=True, help="Begin paused: `kstream sim do step` or `play` goes on.")
@env_option("--duration", metavar="SPAN", help="Stop after so much simulated time.")
@env_option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the event log in this file; a log of the same run is gone on with.",
)
@keeping_options(temporary=True)
@workers_option
@serving_options
def simulate(*, listed: bool, log: Path | None, workers: int, **options: Any) -> None:
    """Serve a simulated cluster: the same every time, with the dramas you ask for."""
    settings = serve_settings(options)
    if listed:
        _list(as_json=settings.output == "json")
        return
    keep = keep_settings(options, temporary=log is None)
    clock = SystemClock()
    source = build(clock=clock, **options)
    with process_log(settings.log_format, settings.log_level, clock=clock):
        asyncio.run(_simulate(source, fitted(settings, processes=workers), log, keep, clock, workers))


async def _simulate(
    source: SimulatorSource,
    settings: ServeSettings,
    path: Path | None,
    keep: Keep,
    clock: Clock,
    workers: int,
) -> None:
    await asyncio.to_thread(sweep)
    if path is None:
        log = await SqliteLog.open_temporary(meta={"simulation": source.run})
    else:
        # One run, one epoch: the same command makes the same file.
        epoch = None if await asyncio.to_thread(path.exists) else source.epoch
        log = await SqliteLog.open(path, epoch=epoch, meta={"simulation": source.run}, clock=clock)
    try:
        await _serve(source, log, settings, keep, clock, workers)
    finally:
        await log.close()


async def _serve(
    source: SimulatorSource,
    log: SqliteLog,
    settings: ServeSettings,
    keep: Keep,
    clock: Clock,
    workers: int,
) -> None:
    # Said before the address is printed, not after.
    source.check(log.versions, empty=log.head == 0)

    async def status() -> Mapping[str, Any]:
        return source.status()

    server = Server(
        mode="simulate",
        settings=settings,
        log=log,
        source=source,
        clock=clock,
        time=source.now,
        retention=retention(log, keep, clock=clock, time=source.now),
        status=status,
        control=source.control,
        watermark=lambda: None if (until := source.as_of()) is None else (until, log.head),
    )

    async def stop_at_end(stop: asyncio.Event) -> None:
        await source.ended.wait()
        stop.set()

    crew = Crew(server, count=workers, log=log.path) if workers > 1 else None
    await serve_until_stopped(server, crew=crew, alongside=stop_at_end)


def _list(*, as_json: bool) -> None:
    scenarios = [load_scenario(name) for name in shipped()]
    if as_json:
        listed = [{"name": s.name, "summary": s.summary, "duration": s.duration} for s in scenarios]
        click.echo(json.dumps(listed))
        return
    width = max(len(s.name) for s in scenarios)
    for scenario in scenarios:
        mark = "  (the default)" if scenario.name == DEFAULT else ""
        click.echo(f"{scenario.name:{width}}  {scenario.summary}{mark}")


@click.group()
def sim() -> None:
    """Take a hand in a simulation that runs."""


@sim.command("do")
@click.argument("action")
@click.argument("target", required=False)
@click.argument("arguments", nargs=-1, metavar="[KEY=VALUE]...")
@click.option(
    "--url",
    default="http://127.0.0.1:3001",
    envvar="KSTREAM_URL",
    show_envvar=True,
    show_default=True,
    help="The server: its page or its WebSocket (http, https, ws or wss; /ws may be left out).",
)
def do(action: str, target: str | None, arguments: tuple[str, ...], url: str) -> None:
    """Do ACTION now, and print how things are then.

    ACTION is one of a scenario's (kill-node node-3; scale shop/web replicas=9; see docs/simulator.md), or status,
    pause, play, step by=10s, speed speed=4.
    """
    if action not in (*CONTROLS, *action_names()):
        raise UsageError(
            f"There is no action {action!r}: choose one of {', '.join((*CONTROLS, *action_names()))}"
        )
    body: dict[str, Any] = {"do": action}
    if target is not None and "=" in target:
        arguments = (target, *arguments)
    elif target is not None:
        body["target"] = target
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals:
            raise UsageError(f"{argument!r} is not KEY=VALUE: write replicas=9")
        body[key.replace("-", "_")] = _value(argument, value)
    click.echo(json.dumps(asyncio.run(_post(str(page_url(url)).rstrip("/"), body))))


def _value(argument: str, text: str) -> Any:
    """What is written after the `=`, as in a scenario. Raises UsageError for what JSON has not."""
    try:
        _, value = read_document(text)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (yaml.YAMLError, ValueError, TypeError):
        raise UsageError(
            f"{argument!r:.200} is no value of an action: write a number, a text, or a mapping "
            "such as fault='{kind: crash, after: 3s}'"
        ) from None
    return value


async def _post(url: str, body: dict[str, Any]) -> Any:
    try:
        async with aiohttp.ClientSession() as session, session.post(f"{url}/api/sim/do", json=body) as answer:
            text = await answer.text()
    except aiohttp.ClientError as error:
        raise UnreachableError(
            f"No server answers at {url}: {why_not(error)}; start `kstream simulate`, or give its --url"
        ) from None
    elsewhere = ConfigError(
        f"{url} is no simulation: it answers {answer.status} to POST /api/sim/do; start `kstream simulate`, or give its"
        " --url"
    )
    try:
        value = json.loads(text)
    except ValueError:
        raise elsewhere from None
    if answer.status != 200:
        said = value.get("error") if isinstance(value, dict) else None
        if not isinstance(said, dict) or answer.status in (404, 405):
            raise elsewhere
        wrong = f"{said.get('message', answer.reason)}: {said.get('details', '')}".rstrip(": ")
        raise UsageError(wrong) if answer.status == 400 else KstreamError(f"{url}: {wrong}")
    return value
