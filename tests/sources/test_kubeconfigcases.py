"""A kubeconfig is read as kubectl reads it: what every case means, and the same asked of kubectl where there is one."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kstream.clock import VirtualClock
from kstream.core.errors import ConfigError
from kstream.sources.credentials import load
from kstream.sources.kubeconfig import KubeSettings
from simulator.apiserver.tls import Certificate
from tests.scripted import trusting
from tests.sources.kubeconfigcases import CASES, Case

_PLUGIN = """#!/bin/sh
echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "plug"}}'
"""
_ANSWER = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "kube-system", "uid": "it"}}


def folder_of(
    folder: Path, case: Case, certificate: Certificate, ports: tuple[int, int] = (6443, 8080)
) -> Path:
    """The files of a case; the path of its kubeconfig."""
    (folder / "ca.crt").write_text(certificate.authority)
    (folder / "token").write_text("filed\n")
    (folder / "empty").touch()
    (folder / "plugin").write_text(_PLUGIN)
    (folder / "plugin").chmod(0o755)
    authority = str(trusting(certificate.authority)["certificate-authority-data"])
    coding = "utf-8"
    text = case.text
    if isinstance(text, bytes):
        coding = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(text[:2], "latin-1")
        text = text.decode(coding)
    for name, value in (("PORT", str(ports[0])), ("HTTP", str(ports[1])), ("CADATA", authority)):
        text = text.replace(
            f":{name}" if name != "CADATA" else name, f":{value}" if name != "CADATA" else value
        )
    path = folder / "config"
    path.write_bytes(text.encode(coding))
    return path


async def sent_by_us(path: Path) -> dict[str, str] | ConfigError:
    try:
        credentials = await load(KubeSettings(kubeconfig=str(path)), VirtualClock(1e9))
    except ConfigError as error:
        return error
    headers = {name.title(): value for name, value in credentials.impersonation}
    return headers | ({"Authorization": credentials.authorization} if credentials.authorization else {})


def titled(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.title(): value for name, value in (headers or {}).items()}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_it_means_what_it_says(case: Case, tmp_path: Path, certificate: Certificate) -> None:
    sent = await sent_by_us(folder_of(tmp_path, case, certificate))
    if isinstance(sent, ConfigError):
        assert case.refused, str(sent)
        assert case.refused in str(sent)
        assert "\n" not in str(sent)
    else:
        assert not case.refused
        assert sent == titled(case.sent)


@asynccontextmanager
async def _serving(certificate: Certificate, seen: list[dict[str, str]]) -> AsyncIterator[tuple[int, int]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        who = ("authorization", "impersonate-")
        seen.append(
            {name.title(): value for name, value in request.headers.items() if name.lower().startswith(who)}
        )
        return web.json_response(_ANSWER)

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


async def _sent_by_kubectl(path: Path, seen: list[dict[str, str]]) -> dict[str, str] | str:
    arguments: list[Any] = ["--kubeconfig", path, "get", "--raw", "/api/v1/namespaces/kube-system"]
    process = await asyncio.create_subprocess_exec(
        "kubectl",
        *arguments,
        env={"PATH": os.environ["PATH"], "HOME": str(path.parent)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    return seen[-1] if process.returncode == 0 else said.decode(errors="replace")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on the PATH to compare with")
async def test_kubectl_takes_every_case_likewise(tmp_path: Path, certificate: Certificate) -> None:
    seen: list[dict[str, str]] = []
    differences = []
    async with _serving(certificate, seen) as ports:
        for number, case in enumerate(CASES):
            folder = tmp_path / str(number)
            folder.mkdir()
            sent = await _sent_by_kubectl(folder_of(folder, case, certificate, ports), seen)
            if isinstance(sent, str):
                if not case.refused:
                    differences.append(f"{case.name}: kubectl says {sent}")
            elif case.refused or {name.title(): value for name, value in sent.items()} != titled(case.sent):
                differences.append(f"{case.name}: kubectl sends {sent}")
    assert not differences
