"""Credentials from a program, as client.authentication.k8s.io describes it (LISTWATCH 11)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import signal
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from kstream.core.errors import ConfigError
from kstream.ports import Clock
from kstream.processlog.lines import say
from kstream.sources.kubeconfigfile import Cluster, Plugin, encoded
from kstream.sources.redaction import HIDDEN, without

_log = logging.getLogger(__name__)
WITHIN: Final = 30.0  # seconds for the program
LARGEST: Final = 1 << 20  # bytes of what it prints
_CHUNK: Final = 1 << 16
_SAID: Final = 2000  # bytes of the end of its stderr
_NAMED: Final = re.compile(
    r"(?i)((?:password|passwd|secret|token|key|credential|bearer|basic)\S{0,20}?[\s=:\"']+)[^\s\"']+"
)
_TOKEN: Final = re.compile(r"[A-Za-z0-9+=_-]{20,}")
_GRACE: Final = 1.0  # seconds for its pipes to close when it has been killed
_CONFIG: Final = "client.authentication.k8s.io/exec"  # the extension of a cluster that is for plugins


class Issued(NamedTuple):
    """What the program printed. Only what it gave is not empty."""

    token: str
    certificate: str  # PEM
    key: str
    expires: float | None  # seconds since the Unix epoch


def cluster_info(cluster: Cluster, *, host: str, authority: bytes, proxy: str) -> dict[str, Any]:
    """What a plugin with provideClusterInfo is told of the cluster."""
    info: dict[str, Any] = {
        "server": host,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": encoded(authority),
        "proxy-url": proxy,
        "disable-compression": cluster.disable_compression,
        "config": next((each.extension for each in cluster.extensions if each.name == _CONFIG), None),
    }
    return {name: value for name, value in info.items() if value}


async def run_plugin(plugin: Plugin, info: Mapping[str, Any], clock: Clock) -> Issued:
    """`info`: see cluster_info. Raises ConfigError when the program is missing, fails, hangs or prints no
    ExecCredential. What it printed is never repeated: there may be a credential in it."""
    spec: dict[str, Any] = {"interactive": False}
    if plugin.provide_cluster_info:
        spec["cluster"] = info
    told = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    environment = {
        **os.environ,
        **{variable.name: variable.value for variable in plugin.env},
        "KUBERNETES_EXEC_INFO": json.dumps(told),
    }
    status, output, errors = await _run([plugin.command, *plugin.args], environment, plugin, clock)
    if status != 0:
        # For the operator alone: it may say anything, and what clients are told is our own.
        given = [*plugin.args, *(variable.value for variable in plugin.env)]
        said = redacted(errors.decode(errors="replace").strip(), given)
        say(
            _log, logging.WARNING, "exec plugin failed", command=plugin.command, exit_code=status, stderr=said
        )
        raise ConfigError(
            f"Exec plugin {plugin.command} ended with status {status}; run it by hand to see why, or log in anew"
        )
    return read_issued(plugin, output)


async def _run(
    arguments: list[str], environment: dict[str, str], plugin: Plugin, clock: Clock
) -> tuple[int, bytes, bytes]:
    """Its exit status, what it printed, and the end of its stderr."""
    command = plugin.command
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
        remedy = "install it, or correct the kubeconfig"
        raise ConfigError(f"Exec plugin {command} cannot be started: {error.strerror}; {remedy}") from None
    except ValueError:  # an argument or a variable that no program can be given
        raise ConfigError(
            f"Exec plugin {command!r} cannot be started: its command, args or env have a NUL; correct the kubeconfig"
        ) from None
    # Both pipes are read together: a program that fills the one must not block on the other.
    talk = asyncio.ensure_future(_talk(process))
    timer = asyncio.ensure_future(clock.sleep(WITHIN))
    try:
        await asyncio.wait((talk, timer), return_when=asyncio.FIRST_COMPLETED)
        if not talk.done():
            raise ConfigError(
                f"Exec plugin {command} has not answered within {WITHIN:.0f} s; run it by hand to see why"
            )
        output, errors = talk.result()
        if len(output) > LARGEST:
            raise ConfigError(
                f"Exec plugin {command} printed more than {LARGEST >> 20} MiB; run it by hand to see what"
            )
        return process.returncode or 0, output, errors
    finally:
        timer.cancel()
        _kill(process)
        # Read to the end: asyncio takes a process for running until its pipes are closed, and they are not while
        # something in them waits to be read. What has left our session may hold them open for ever.
        grace = asyncio.ensure_future(clock.sleep(_GRACE))
        await asyncio.wait((talk, grace), return_when=asyncio.FIRST_COMPLETED)
        for task in (talk, grace):
            task.cancel()
        await asyncio.gather(talk, grace, timer, return_exceptions=True)
        # asyncio has no other way to let go of pipes that somebody holds open; then one that was killed has ended.
        process._transport.close()  # type: ignore[attr-defined]  # see above
        await process.wait()


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def _talk(process: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    """What it prints until it ends, and a little too much when it prints too much; and the end of its stderr."""
    assert process.stdout is not None, "a plugin is started with its stdout piped"
    assert process.stderr is not None, "a plugin is started with its stderr piped"
    errors = asyncio.ensure_future(_last(process.stderr))
    try:
        output = bytearray()
        while data := await process.stdout.read(_CHUNK):
            if len(output) <= LARGEST:
                output += data
            else:
                _kill(process)
        said = await errors
        await process.wait()
        return bytes(output), said
    finally:
        errors.cancel()
        await asyncio.gather(errors, return_exceptions=True)


async def _last(stream: asyncio.StreamReader) -> bytes:
    """The last `_SAID` bytes of it."""
    said = b""
    while data := await stream.read(_CHUNK):
        said = (said + data)[-_SAID:]
    return said


def redacted(text: str, given: Iterable[str]) -> str:
    """Without what the program was `given`, what follows a word such as password or bearer, and what may be a token:
    twenty and more letters and digits in a row. Addresses and paths can be read."""
    text = without(text, given).replace(HIDDEN, "…")
    text = _NAMED.sub(r"\1…", text)
    return _TOKEN.sub(lambda found: "…" if any(map(str.isdigit, found[0])) else found[0], text)


def read_issued(plugin: Plugin, output: bytes) -> Issued:
    """What the program printed. Raises ConfigError, with nothing of it, for what is no ExecCredential."""
    command, version = plugin.command, plugin.api_version
    try:
        answer = json.loads(output)
        if answer["kind"] != "ExecCredential" or not isinstance(answer["apiVersion"], str):
            raise ValueError("another kind")
        status = answer["status"]
        expires = status.get("expirationTimestamp")
        issued = Issued(
            _text(status, "token"),
            _text(status, "clientCertificateData"),
            _text(status, "clientKeyData"),
            _moment(expires) if expires else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        raise ConfigError(
            f"Exec plugin {command} printed no ExecCredential: run it by hand to see what"
        ) from None
    if answer["apiVersion"] != version:
        raise ConfigError(
            f"Exec plugin {command} speaks another version than {version}, which the kubeconfig wants; "
            "make them agree"
        )
    if bool(issued.certificate) != bool(issued.key) or not (issued.token or issued.certificate):
        raise ConfigError(f"Exec plugin {command} gave neither a token nor a certificate with its key")
    return issued


def _text(status: Mapping[str, Any], name: str) -> str:
    value = status.get(name) or ""
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    value.encode()  # JSON may have halves of characters, which go into no header and no file
    return value


def _moment(text: str) -> float:
    """Seconds since the Unix epoch; a time without its offset is none, as for kubectl."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    return moment.timestamp()
