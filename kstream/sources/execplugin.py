"""Credentials from a program, as client.authentication.k8s.io describes it (LISTWATCH 11)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from kstream.core.errors import ConfigError
from kstream.ports import Clock

WITHIN: Final = 30.0  # seconds for the program
_SAID: Final = 300  # characters of its stderr that are repeated


class Issued(NamedTuple):
    """What the program printed. Only what it gave is not empty."""

    token: str
    certificate: str  # PEM
    key: str
    expires: float | None  # seconds since the Unix epoch


async def run_plugin(plugin: Mapping[str, Any], cluster: Mapping[str, Any], clock: Clock) -> Issued:
    """Raises ConfigError when the program is missing, fails, hangs or prints no ExecCredential."""
    command, version = str(plugin.get("command") or ""), str(plugin.get("apiVersion") or "")
    if not command or not version:
        raise ConfigError("The exec plugin of the kubeconfig has no command or no apiVersion; add them")
    spec: dict[str, Any] = {"interactive": False}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = {name: cluster[name] for name in _CLUSTER_INFO if name in cluster}
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": spec}
    environment = {
        **os.environ,
        **{str(each["name"]): str(each["value"]) for each in plugin.get("env") or ()},
        "KUBERNETES_EXEC_INFO": json.dumps(info),
    }
    status, output, said = await _run(
        [command, *map(str, plugin.get("args") or ())], environment, plugin, clock
    )
    if status != 0:
        raise ConfigError(f"Exec plugin {command} ended with status {status}: {said or 'it said nothing'}")
    return _read(command, version, output)


_CLUSTER_INFO: Final = (
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority-data",
    "proxy-url",
)


async def _run(
    arguments: list[str], environment: dict[str, str], plugin: Mapping[str, Any], clock: Clock
) -> tuple[int, bytes, str]:
    command = arguments[0]
    try:
        # A session of its own, so that what it starts ends with it.
        process = await asyncio.create_subprocess_exec(
            *arguments,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        hint = plugin.get("installHint") or "install it, or correct the kubeconfig"
        raise ConfigError(f"Exec plugin {command} cannot be started: {error.strerror}; {hint}") from error
    # Both pipes are read together: a program that fills the one must not block on the other.
    talk = asyncio.ensure_future(process.communicate())
    timer = asyncio.ensure_future(clock.sleep(WITHIN))
    try:
        await asyncio.wait((talk, timer), return_when=asyncio.FIRST_COMPLETED)
        if not talk.done():
            raise ConfigError(
                f"Exec plugin {command} has not answered within {WITHIN:.0f} s; run it by hand to see why"
            )
        output, said = talk.result()
        return process.returncode or 0, output, " ".join(said[-_SAID:].decode(errors="replace").split())
    finally:
        timer.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        talk.cancel()
        await asyncio.gather(talk, timer, return_exceptions=True)
        await process.wait()


def _read(command: str, version: str, output: bytes) -> Issued:
    try:
        answer = json.loads(output)
        status = answer["status"]
        expires = status.get("expirationTimestamp")
        issued = Issued(
            str(status.get("token") or ""),
            str(status.get("clientCertificateData") or ""),
            str(status.get("clientKeyData") or ""),
            datetime.fromisoformat(expires).timestamp() if expires else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"Exec plugin {command} printed no ExecCredential: run it by hand to see what"
        ) from error
    if answer.get("apiVersion") != version:
        raise ConfigError(
            f"Exec plugin {command} speaks {answer.get('apiVersion')}, the kubeconfig wants {version}; make them agree"
        )
    if not issued.token and not (issued.certificate and issued.key):
        raise ConfigError(f"Exec plugin {command} gave neither a token nor a certificate with its key")
    return issued
