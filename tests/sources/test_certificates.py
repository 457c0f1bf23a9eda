"""Client certificates: who we are by TLS, against a server that asks for one; and whom we trust."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from kstream.core.errors import UnreachableError
from kstream.core.timeline.health import ErrorCode
from kstream.sources.kubeconfig import KubeSettings
from kstream.sources.preflight import preflight
from simulator.apiserver.access import parse_tokens
from simulator.apiserver.server import FakeApiServer
from simulator.apiserver.tls import Certificate, make_certificate
from tests.scripted import until
from tests.simulator.apiserver.making import Writer
from tests.sources.recording import recording

USERS = ("viewer", "nobody")


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return make_certificate("127.0.0.1", users=USERS)


@pytest.fixture(scope="module")
def stranger() -> Certificate:
    """Of another authority."""
    return make_certificate("127.0.0.1", users=USERS)


@asynccontextmanager
async def _serving(certificate: Certificate) -> AsyncIterator[FakeApiServer]:
    writer = Writer()
    writer.namespace("kube-system")
    writer.namespace("shop")
    writer.node("node-1")
    writer.pod("a")
    access = parse_tokens(["viewer=view", "nobody=none"])
    async with FakeApiServer(writer.store, access=access, certificate=certificate) as server:
        yield server


def _settings(
    folder: Path,
    config: dict[str, Any],
    *,
    context: str = "viewer",
    user: Mapping[str, Any] | None = None,
    authority: str = "",
) -> KubeSettings:
    """The server's own kubeconfig, with another user entry or another authority."""
    if user is not None:
        for entry in config["users"]:
            entry["user"] = dict(user)
    if authority:
        config["clusters"][0]["cluster"]["certificate-authority-data"] = _data(authority)
    path = folder / "config"
    path.write_text(yaml.safe_dump(config))
    return KubeSettings(kubeconfig=str(path), context=context)


def _data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_a_certificate_says_who_we_are(tmp_path: Path, certificate: Certificate) -> None:
    async with _serving(certificate) as server:
        settings = _settings(tmp_path, server.kubeconfig())
        async with recording(server, tmp_path, settings=settings) as record:
            await record.synced()
            assert record.pods == ["a"]
            assert record.health.faults == {}
    assert {seen.user for seen in server.requests} == {"viewer"}


async def test_a_certificate_may_be_in_files_beside_the_kubeconfig(
    tmp_path: Path, certificate: Certificate
) -> None:
    (tmp_path / "me.crt").write_text(certificate.clients["viewer"].certificate)
    (tmp_path / "me.key").write_text(certificate.clients["viewer"].key)
    async with _serving(certificate) as server:
        user = {"client-certificate": "me.crt", "client-key": "me.key"}
        settings = _settings(tmp_path, server.kubeconfig(), user=user)
        async with recording(server, tmp_path, settings=settings) as record:
            await record.synced()
    assert {seen.user for seen in server.requests} == {"viewer"}


async def test_a_certificate_may_come_from_an_exec_plugin(tmp_path: Path, certificate: Certificate) -> None:
    mine = certificate.clients["viewer"]
    status = {"clientCertificateData": mine.certificate, "clientKeyData": mine.key}
    version = "client.authentication.k8s.io/v1"
    text = json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": status})
    (tmp_path / "plugin.py").write_text(f"print({text!r})")
    plugin = {
        "apiVersion": version,
        "command": sys.executable,
        "args": [str(tmp_path / "plugin.py")],
        "interactiveMode": "Never",
    }
    async with _serving(certificate) as server:
        settings = _settings(tmp_path, server.kubeconfig(), user={"exec": plugin})
        async with recording(server, tmp_path, settings=settings) as record:
            await record.synced()
    assert {seen.user for seen in server.requests} == {"viewer"}


async def test_whom_a_certificate_names_without_a_role_is_denied_everything(
    tmp_path: Path, certificate: Certificate
) -> None:
    async with _serving(certificate) as server:
        settings = _settings(tmp_path, server.kubeconfig(), context="nobody")
        async with recording(server, tmp_path, settings=settings) as record:
            await until(lambda: len(record.faults(ErrorCode.PERMISSION_DENIED)) >= 3)
            told = {fault.details for fault in record.faults(ErrorCode.PERMISSION_DENIED)}
            assert record.pods == []
    assert {seen.user for seen in server.requests} == {"nobody"}
    assert told == {
        f"Missing 'list' permission on '{resource}' at the cluster scope"
        for resource in ("namespaces", "nodes", "pods")
    }


async def test_a_server_of_another_authority_is_refused_with_what_to_do(
    tmp_path: Path, certificate: Certificate, stranger: Certificate
) -> None:
    async with _serving(certificate) as server:
        settings = _settings(tmp_path, server.kubeconfig(), authority=stranger.authority)
        async with recording(server, tmp_path, settings=settings) as record:
            await until(lambda: bool(record.health.faults))
            [fault] = record.health.faults.values()
            assert fault.code is ErrorCode.CONNECTION_FAILED
            assert "certificate of 127.0.0.1" in fault.details
            assert "is not trusted" in fault.details
            assert "certificate-authority" in fault.details
            assert not server.requests
            _settings(tmp_path, server.kubeconfig())  # corrected while it runs
            await record.synced(step=0.05)
            assert record.health.faults == {}
        findings = await preflight(settings, record.clock)
        assert all(finding.ok for finding in findings)


async def test_a_server_that_bears_another_name_is_refused_with_what_to_do(
    tmp_path: Path, certificate: Certificate
) -> None:
    async with _serving(certificate) as server:
        config = server.kubeconfig()
        config["clusters"][0]["cluster"]["tls-server-name"] = "another.example"
        async with recording(server, tmp_path, settings=_settings(tmp_path, config)) as record:
            await until(lambda: bool(record.health.faults))
            [fault] = record.health.faults.values()
            assert fault.code is ErrorCode.CONNECTION_FAILED
            assert "another.example" in fault.details
            assert "tls-server-name" in fault.details


async def test_a_certificate_of_another_authority_is_refused_by_the_server_with_what_to_do(
    tmp_path: Path, certificate: Certificate, stranger: Certificate
) -> None:
    theirs = stranger.clients["viewer"]
    user = {"client-certificate-data": _data(theirs.certificate), "client-key-data": _data(theirs.key)}
    async with _serving(certificate) as server:
        settings = _settings(tmp_path, server.kubeconfig(), user=user)
        async with recording(server, tmp_path, settings=settings) as record:
            await until(lambda: bool(record.health.faults))
            [fault] = record.health.faults.values()
            assert fault.code is ErrorCode.CONNECTION_FAILED
            assert "client-certificate" in fault.details
        [kubeconfig, cluster] = await preflight(settings, record.clock)
        assert (kubeconfig.ok, cluster.ok, cluster.exit_code) == (True, False, UnreachableError.exit_code)
        assert "client-certificate" in cluster.cause


async def test_a_server_that_is_not_there_says_nothing_of_certificates(
    tmp_path: Path, certificate: Certificate
) -> None:
    async with _serving(certificate) as server:
        settings = _settings(tmp_path, server.kubeconfig())
    async with recording(server, tmp_path, settings=settings) as record:
        await until(lambda: bool(record.health.faults))
        [fault] = record.health.faults.values()
    assert fault.code is ErrorCode.CONNECTION_FAILED
    assert "certificate" not in fault.details


async def test_a_user_may_stand_in_another_kubeconfig_than_the_cluster(
    tmp_path: Path, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _serving(certificate) as server:
        whole = server.kubeconfig()
        names = {"one": ("clusters", "current-context"), "two": ("users", "contexts")}
        for file, sections in names.items():
            (tmp_path / file).write_text(yaml.safe_dump({name: whole[name] for name in sections}))
        monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'one'}:{tmp_path / 'two'}:{tmp_path / 'missing'}")
        async with recording(server, tmp_path, settings=KubeSettings()) as record:
            await record.synced()
            assert record.pods == ["a"]
    assert {seen.user for seen in server.requests} == {"viewer"}
