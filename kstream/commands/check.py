"""`kstream check`: what is wrong before a start, and what to do about it."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kstream.clock import SystemClock
from kstream.commands.cluster import cluster_options, kube_settings
from kstream.commands.livelog import open_live
from kstream.config import env_option, listening
from kstream.core.errors import BindError, LogError, LogMismatchError
from kstream.core.timeline.health import ClusterInfo
from kstream.core.visible import json_text, visible
from kstream.logs.refusals import identified
from kstream.sources.preflight import Finding, preflight


@click.command()
@cluster_options
@env_option("--host", default="127.0.0.1", help="Address that `serve` shall listen on.")
@env_option("--port", type=click.IntRange(0, 65535), default=3001, help="Port that `serve` shall listen on.")
@env_option("--log", type=click.Path(dir_okay=False), help="The event log that `serve` shall go on with.")
@env_option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", help="For people or programs."
)
def check(host: str, port: int, log: str | None, output: str, **cluster: Any) -> None:
    """Look at kubeconfig, cluster, permissions, port and log file: what is wrong, and what to do.

    The exit code is that of the first thing that is wrong.
    """
    findings = asyncio.run(_look(host, port, log, cluster))
    if output == "json":
        click.echo(json_text([finding._asdict() for finding in findings], indent=2))
    else:
        _print(findings)
    sys.exit(next((finding.exit_code for finding in findings if not finding.ok), 0))


async def _look(host: str, port: int, log: str | None, cluster: dict[str, Any]) -> list[Finding]:
    host = listening(host)
    met: list[ClusterInfo] = []
    findings = await preflight(kube_settings(cluster), SystemClock(), met=met.append)
    findings.append(_port(host, port))
    if log is not None:
        findings.append(await _log(log, met))
    return findings


def _port(host: str, port: int) -> Finding:
    what = f"listen on {host}:{port}"
    try:
        with socket.create_server((host, port)):
            return Finding(what, True, "free")
    except OSError as error:
        remedy = "Stop what listens there, or choose another --port; 0 picks a free one"
        return Finding(what, False, error.strerror or str(error), remedy, BindError.exit_code)


async def _log(path: str, met: Sequence[ClusterInfo]) -> Finding:
    """Whether `serve` would go on with it; of the cluster that was met, where one has answered."""
    what = f"log {path}"
    there, folder = await asyncio.to_thread(
        lambda: (Path(path).exists(), Path(path).absolute().parent.is_dir())
    )
    if not there and not folder:
        return Finding(what, False, "its folder does not exist", "Create the folder", LogError.exit_code)
    if not there:
        return Finding(what, True, "will be created")
    try:
        log = await open_live(path)
    except LogError as error:
        return Finding(what, False, str(error), "", error.exit_code)  # it says what to do
    try:
        for cluster in met:
            identified(log.cluster, cluster, f"{path}: the event log")
    except LogMismatchError as error:
        return Finding(what, False, str(error), "", error.exit_code)
    else:
        name = f" of {log.cluster.name}" if log.cluster is not None else ""
        return Finding(what, True, f"{log.head} events{name}; it goes on from there")
    finally:
        await log.close()


def _print(findings: list[Finding]) -> None:
    width = max(len(visible(finding.what)) for finding in findings)
    for finding in findings:
        mark = click.style("ok ", fg="green") if finding.ok else click.style("BAD", fg="red", bold=True)
        click.echo(f"{mark}  {visible(finding.what):{width}}  {visible(finding.cause)}")
        if not finding.ok and finding.remedy:
            click.echo(f"     {'':{width}}  → {visible(finding.remedy)}")
