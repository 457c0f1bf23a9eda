"""`kstream fake-apiserver`: a Kubernetes API server to point any client at."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

import click
import yaml

from kstream.clock import SystemClock
from kstream.core.errors import ConfigError
from simulator.apiserver.access import parse_tokens
from simulator.apiserver.faults import FaultScript, read_script
from simulator.apiserver.feed import Pacing
from simulator.apiserver.recording import read_recording
from simulator.apiserver.server import FakeApiServer
from simulator.apiserver.store import Store
from simulator.apiserver.tls import make_certificate


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
@click.option("--recording", type=click.Path(path_type=Path), help="Serve this capture of an API server.")
@click.option(
    "--speed", type=Speed(), default="1", show_default=True, help="Seconds of the cluster per second."
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 picks a free one."
)
@click.option("--tls", is_flag=True, help="Serve TLS with a certificate made at the start.")
@click.option(
    "--token", "tokens", multiple=True, metavar="NAME=ROLE[,ROLE]", help="A bearer token and what it may."
)
@click.option("--kubeconfig-out", type=click.Path(path_type=Path), help="Write a kubeconfig for this server.")
@click.option("--faults", type=click.Path(path_type=Path), help="What shall go wrong: a fault script (YAML).")
@click.option(
    "--compact-after", type=click.FloatRange(min=0, min_open=True), default=300.0, show_default=True
)
@click.option(
    "--bookmark-interval", type=click.FloatRange(min=0, min_open=True), default=60.0, show_default=True
)
@click.option("--version", "git_version", default="v1.36.0", show_default=True, help="What /version says.")
def fake_apiserver(
    *,
    recording: Path | None,
    speed: float | None,
    host: str,
    port: int,
    tls: bool,
    tokens: tuple[str, ...],
    kubeconfig_out: Path | None,
    faults: Path | None,
    compact_after: float,
    bookmark_interval: float,
    git_version: str,
) -> None:
    """Serve the Kubernetes API of nodes, pods and namespaces, read-only, from a recording.

    kubectl and informers work against it; a fault script makes it misbehave.
    """
    if recording is None:
        raise ConfigError("there is nothing to serve; name a capture with --recording FILE")
    store = Store()
    feed = read_recording(recording)
    feed.load(store)
    server = FakeApiServer(
        store,
        pacing=Pacing(feed, store, SystemClock(), speed=speed),
        access=parse_tokens(tokens),
        faults=read_script(faults) if faults is not None else FaultScript(),
        certificate=make_certificate(host) if tls else None,
        host=host,
        port=port,
        git_version=git_version,
        bookmark_interval=bookmark_interval,
        compact_after=compact_after,
    )
    asyncio.run(_serve(server, kubeconfig_out))


async def _serve(server: FakeApiServer, kubeconfig_out: Path | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # no signals in a loop on Windows: Ctrl-C raises there
            loop.add_signal_handler(number, stop.set)
    async with server:
        if kubeconfig_out is not None:
            _write(kubeconfig_out, yaml.safe_dump(server.kubeconfig(), sort_keys=False))
        said = f", kubeconfig in {kubeconfig_out}" if kubeconfig_out is not None else ""
        click.echo(f"fake API server on {server.url}{said} (Ctrl-C stops it)")
        await stop.wait()


def _write(path: Path, text: str) -> None:
    try:
        path.touch(mode=0o600)  # it holds tokens
        path.write_text(text)
    except OSError as error:
        raise ConfigError(
            f"cannot write {path}: {error.strerror}; choose another --kubeconfig-out"
        ) from error
