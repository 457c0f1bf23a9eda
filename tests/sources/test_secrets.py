"""No secret of a kubeconfig is told: not to clients, not by the endpoints of operators, not on a terminal.

Everything that is secret in these files has MARK in it, and no output of the two commands may have that.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
from aiohttp import web

from simulator.apiserver.tls import Certificate
from tests.scripted import trusting
from tests.sources.kubeconfigcases import config

MARK = "Hunter2"
_PEM = f"-----BEGIN CERTIFICATE-----\n{MARK}\n-----END CERTIFICATE-----\n"
_PLUGIN = f"""#!{sys.executable}
import os, sys
print(os.environ["WORD"], sys.argv, "password={MARK}")
sys.exit("Bearer {MARK} " + os.environ["WORD"])
"""


def _exec(command: str) -> str:
    env, args = f"[{{name: WORD, value: {MARK}-env}}]", f"[--secret, {MARK}-args]"
    return (
        f"exec: {{command: {command}, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, "
        f"env: {env}, args: {args}}}"
    )


def _data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Leak(NamedTuple):
    where: str
    text: str
    said: str  # what an operator is told in its place


LEAKS = [
    Leak("a token that a server repeats", config(f"token: {MARK}-token"), "you sent Bearer [redacted]"),
    Leak("a password that a server repeats", config("username: u", f"password: {MARK}-pass"), "[redacted]"),
    Leak(
        "the user of the server",
        config(server=f"https://u:{MARK}-p@127.0.0.1:PORT"),
        "you sent Basic [redacted]",
    ),
    Leak("half a server", config(server=f"'http://u:{MARK}@['"), "server is no address"),
    Leak("another server", config(server=f"ftp://u:{MARK}@127.0.0.1"), "neither https:// nor http://"),
    Leak(
        "half a proxy",
        config(cluster=("CADATA", f"proxy-url: 'http://u:{MARK}@['")),
        "proxy-url is no address",
    ),
    Leak(
        "a dead proxy",
        config(cluster=("CADATA", f"proxy-url: 'http://u:{MARK}@127.0.0.1:1'")),
        "cannot be reached",
    ),
    Leak(
        "a proxy that refuses",
        config(cluster=("CADATA", f"proxy-url: 'http://u:{MARK}@127.0.0.1:PLAIN'")),
        "refuses",
    ),
    Leak(
        "a dead SOCKS proxy",
        config(cluster=("CADATA", f"proxy-url: 'socks5://u:{MARK}@127.0.0.1:1'")),
        "127.0.0.1",
    ),
    Leak("a token that is no YAML", config(f"token: {MARK}: x"), "is no YAML: "),
    Leak("a token that has no end", config(f"token: '{MARK}"), "is no YAML: "),
    Leak("a tag", config(f"token: !!int {MARK}"), "called !!int is none"),
    Leak("a token that is a list", config(f"token: [{MARK}]"), "users[0].user.token is no text"),
    Leak("a token of two lines", config(f'token: "{MARK}\\nx"'), "control characters"),
    Leak(
        "a certificate",
        config(f"client-certificate-data: {_data(_PEM)}", f"client-key-data: {_data(MARK)}"),
        "cannot be used: ",
    ),
    Leak("no base64", config(f"client-key-data: '{MARK}!'"), "is no base64"),
    Leak("a token and a password", config(f"token: {MARK}", f"password: {MARK}"), "both a token and"),
    Leak("a plugin that fails", config(_exec("./plugin")), "plugin ended with status 1"),
    Leak("a plugin that prints something", config(_exec("/bin/echo")), "printed no ExecCredential"),
    Leak("a plugin that is not there", config(_exec("no-such-plugin")), "no-such-plugin cannot be started"),
    Leak(
        "a token of oidc",
        config(
            f"auth-provider: {{name: oidc, config: {{client-id: c, client-secret: {MARK}, refresh-token: {MARK}, "
            f"id-token: {MARK}, idp-issuer-url: 'https://127.0.0.1:1'}}}}"
        ),
        "id-token is no JWT",
    ),
]


@asynccontextmanager
async def _repeating(certificate: Certificate) -> AsyncIterator[tuple[int, int]]:
    """A server that refuses everything and says what it was sent."""

    async def answer(request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        message = f"you sent {given}, {given.partition(' ')[2]}, {MARK if not given else ''}"
        if given.startswith("Basic "):
            message += base64.b64decode(given.partition(" ")[2]).decode().partition(":")[2]
        status = 407 if request.method == "CONNECT" else 500
        return web.json_response({"kind": "Status", "message": message if given else "no"}, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        for tls in (certificate.context, None):
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        secure, plain = (address[1] for address in runner.addresses)
        yield secure, plain
    finally:
        await runner.cleanup()


async def _start(*arguments: str | Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "from kstream.cli import main; main()"),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def _served(path: Path) -> str:
    """All that `kstream serve` says: to a client until it has an error, to operators, on its terminal."""
    process = await _start("serve", "--kubeconfig", path, "--port", "0")
    assert process.stdout is not None
    said = b""
    while not (found := re.search(rb"ws://([\d.:]+)/ws", said)):
        line = await process.stdout.readline()
        assert line, said
        said += line
    outputs = []
    try:
        async with aiohttp.ClientSession() as session:
            root = f"http://{found[1].decode()}"
            async with session.ws_connect(f"{root}/ws") as socket:
                while True:
                    outputs.append(await socket.receive_str())
                    if json.loads(outputs[-1])["type"] == "error":
                        break
            for page in ("/readyz", "/api/status", "/metrics", "/healthz"):
                async with session.get(root + page) as response:
                    outputs.append(await response.text())
    finally:
        process.send_signal(signal.SIGTERM)
        rest, _ = await process.communicate()
    return "\n".join([said.decode(), *outputs, rest.decode()])


@pytest.mark.parametrize("leak", LEAKS, ids=[leak.where for leak in LEAKS])
async def test_no_secret_is_told(
    leak: Leak, tmp_path: Path, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "plugin").write_text(_PLUGIN)
    (tmp_path / "plugin").chmod(0o755)
    authority = str(trusting(certificate.authority)["certificate-authority-data"])
    async with _repeating(certificate) as (secure, plain):
        text = leak.text.replace("    CADATA", f"    certificate-authority-data: {authority}")
        text = text.replace("data: CADATA", f"data: {authority}")
        path = tmp_path / "config"
        path.write_text(text.replace(":PORT", f":{secure}").replace(":PLAIN", f":{plain}"))
        looked = await _start("check", "--kubeconfig", path, "--port", "0")
        checked, _ = await looked.communicate()
        assert looked.returncode in (3, 4)
        served = await _served(path)
    for said in (checked.decode(), served):
        assert leak.said in said
        assert "Traceback" not in said
        for secret in (MARK, _data(MARK), base64.b64encode(f"u:{MARK}".encode()).decode()[:-4]):
            assert secret not in said
