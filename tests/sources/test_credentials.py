"""LISTWATCH 11: credentials that are asked again."""

from __future__ import annotations

import asyncio
import base64
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kstream.clock import VirtualClock
from kstream.core.errors import ConfigError
from kstream.core.timeline.health import ErrorCode
from kstream.processlog.lines import FIELDS
from kstream.sources.credentials import files_changed, load, reread_token
from kstream.sources.kubeconfig import KubeSettings
from simulator.apiserver.tls import Certificate, make_certificate
from tests.scripted import ScriptedServer, Stream, kubeconfig, trusting, until
from tests.sources.recording import recording


def plugin(folder: Path, body: str) -> dict[str, Any]:
    """An exec plugin in Python; `count` in it is how often it has run."""
    path = folder / "plugin.py"
    path.write_text(
        f"import json, os, pathlib, sys, time\n"
        f"runs = pathlib.Path({str(folder / 'runs')!r})\n"
        f"count = len(runs.read_text()) if runs.exists() else 0\n"
        f"runs.write_text('x' * (count + 1))\n"
        f"def give(**status):\n"
        f"    print(json.dumps({{'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential',"
        f" 'status': status}}))\n"
        f"{body}\n"
    )
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(path)],
            "env": [{"name": "WHO", "value": "me"}],
            "provideClusterInfo": True,
            "interactiveMode": "Never",
        }
    }


def settings(
    folder: Path,
    user: dict[str, Any] | None = None,
    server: str = "https://127.0.0.1:1/",
    cluster: dict[str, Any] | None = None,
) -> KubeSettings:
    return KubeSettings(kubeconfig=str(kubeconfig(folder / "config", server, user=user, cluster=cluster)))


async def test_a_token_is_a_bearer_token(tmp_path: Path) -> None:
    credentials = await load(settings(tmp_path, {"token": "abc"}), VirtualClock())
    assert credentials.authorization == "Bearer abc"
    assert credentials.host == "https://127.0.0.1:1"
    assert credentials.cluster == "my-cluster"
    assert credentials.tls is not None


async def test_a_user_and_a_password_are_basic(tmp_path: Path) -> None:
    credentials = await load(settings(tmp_path, {"username": "u", "password": "p"}), VirtualClock())
    assert credentials.authorization == "Basic " + base64.b64encode(b"u:p").decode()


async def test_https_is_verified_unless_told_otherwise(tmp_path: Path) -> None:
    verified = await load(settings(tmp_path, server="https://127.0.0.1:1"), VirtualClock())
    assert verified.tls is not None
    assert verified.tls.check_hostname
    trusting = await load(
        settings(tmp_path, server="https://127.0.0.1:1", cluster={"insecure-skip-tls-verify": True}),
        VirtualClock(),
    )
    assert trusting.tls is not None
    assert not trusting.tls.check_hostname
    assert trusting.connection != verified.connection


async def test_a_certificate_that_is_none_is_named(tmp_path: Path) -> None:
    data = base64.b64encode(b"nonsense").decode()
    with pytest.raises(ConfigError, match=r"config: the certificate-authority holds no certificate in PEM"):
        await load(
            settings(tmp_path, server="https://127.0.0.1:1", cluster={"certificate-authority-data": data}),
            VirtualClock(),
        )


async def test_a_missing_certificate_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no-such\.crt"):
        await load(
            settings(
                tmp_path, server="https://127.0.0.1:1", cluster={"certificate-authority": "no-such.crt"}
            ),
            VirtualClock(),
        )


async def test_the_authority_of_the_cluster_is_trusted_and_no_other(tmp_path: Path) -> None:
    """A CA mismatch is a failed connection that names the certificate."""
    certificate = await asyncio.to_thread(make_certificate, "127.0.0.1")
    other = await asyncio.to_thread(make_certificate, "127.0.0.1")
    server = ScriptedServer()
    async with server.running(tls=certificate.context):
        (tmp_path / "ca.crt").write_text(other.authority)
        config = kubeconfig(tmp_path / "config", server.url, cluster={"certificate-authority": "ca.crt"})
        async with recording(server, tmp_path, config=config) as record:
            await until(lambda: bool(record.health.faults))
            [fault] = record.health.faults.values()
            assert fault.code is ErrorCode.CONNECTION_FAILED
            assert "certificate" in fault.details.lower()
            (tmp_path / "ca.crt").write_text(certificate.authority)
            await record.synced(step=0.05)
            assert record.health.faults == {}


async def test_in_a_pod_the_service_account_is_who_we_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = await asyncio.to_thread(make_certificate, "127.0.0.1")
    server = ScriptedServer()
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    account = KubeSettings(service_account=tmp_path)
    async with server.running(tls=certificate.context):
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.port))
        with pytest.raises(ConfigError, match=r"service account of this pod .*mount one"):
            await load(account, VirtualClock())
        (tmp_path / "token").write_text("pod-token")
        (tmp_path / "ca.crt").write_text(certificate.authority)
        (tmp_path / "namespace").write_text("shop")
        credentials = await load(account, VirtualClock())
        assert (credentials.host, credentials.namespace) == (server.url, "shop")
        async with recording(server, tmp_path, settings=account) as record:
            await record.synced()
    assert set(server.tokens) == {"Bearer pod-token"}


async def test_a_netrc_does_not_replace_our_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificate: Certificate
) -> None:
    (tmp_path / "netrc").write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server = ScriptedServer()
    async with server.running(tls=certificate.context):
        config = kubeconfig(tmp_path / "config", server.url, cluster=trusting(certificate.authority))
        async with recording(server, tmp_path, config=config) as record:
            await record.synced()
    assert set(server.tokens) == {"Bearer good"}


async def test_a_token_file_is_read_again_and_a_gap_in_it_is_survived(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("one\n")
    credentials = await load(settings(tmp_path, {"tokenFile": "token", "token": "never"}), VirtualClock())
    assert credentials.authorization == "Bearer one"
    token.write_text("two")
    assert (await reread_token(credentials)).authorization == "Bearer two"
    token.unlink()
    assert (await reread_token(credentials)).authorization == "Bearer one"


async def test_a_token_file_is_used_anew_within_a_minute_of_its_change(
    tmp_path: Path, certificate: Certificate
) -> None:
    server = ScriptedServer()
    first, second = Stream(), Stream()
    server.on("watch pods", first, second)
    token = tmp_path / "token"
    token.write_text("one")
    async with server.running(tls=certificate.context):
        config = kubeconfig(
            tmp_path / "config",
            server.url,
            user={"tokenFile": "token"},
            cluster=trusting(certificate.authority),
        )
        async with recording(server, tmp_path, config=config) as record:
            await until(first.opened.is_set)
            token.write_text("two")
            await record.clock.advance(61)
            first.end()
            await until(second.opened.is_set)
    assert server.tokens[0] == "Bearer one"
    assert server.tokens[-1] == "Bearer two"


async def test_a_changed_kubeconfig_is_noticed(tmp_path: Path) -> None:
    config = settings(tmp_path, {"token": "abc"})
    credentials = await load(config, VirtualClock())
    assert not await files_changed(credentials)
    settings(tmp_path, {"token": "abcd"})
    assert await files_changed(credentials)


async def test_an_exec_plugin_gives_the_token_and_is_told_about_the_cluster(tmp_path: Path) -> None:
    user = plugin(
        tmp_path,
        "info = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "give(token=os.environ['WHO'] + info['spec']['cluster']['server'])",
    )
    credentials = await load(settings(tmp_path, user, server="https://127.0.0.1:1"), VirtualClock())
    assert credentials.authorization == "Bearer mehttps://127.0.0.1:1"
    assert credentials.expires is None


async def test_an_exec_plugin_may_print_a_megabyte_to_stderr(tmp_path: Path) -> None:
    user = plugin(tmp_path, "sys.stderr.write('x' * 2**20)\ngive(token='abc')")
    assert (await load(settings(tmp_path, user), VirtualClock())).authorization == "Bearer abc"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.exit('log in first')", "ended with status 1; run it by hand"),
        ("print('hello')", "printed no ExecCredential"),
        ("give()", "neither a token nor a certificate"),
        (
            "print(json.dumps({'apiVersion': 'o', 'kind': 'ExecCredential', 'status': {'token': 'a'}}))",
            "speaks another",
        ),
    ],
)
async def test_an_exec_plugin_that_fails_is_named(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        await load(settings(tmp_path, plugin(tmp_path, body)), VirtualClock())


async def test_the_operator_is_told_what_a_plugin_that_fails_says_without_its_secrets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    body = (
        "sys.stderr.write('x' * 5000 + '\\nThe SSO session of profile dev-7 is over: run aws sso login\\n"
        "token=abc Bearer xyz "
        + "k9" * 12
        + " of https://sso.eu-west-1.amazonaws.com/start\\n')\nsys.exit(254)"
    )
    user = plugin(tmp_path, body)
    user["exec"]["env"] = [{"name": "AWS_PROFILE", "value": "dev-7"}]
    with pytest.raises(ConfigError, match="ended with status 254") as failed:
        await load(settings(tmp_path, user), VirtualClock())
    assert "SSO" not in str(failed.value)
    (record,) = [record for record in caplog.records if record.message == "exec plugin failed"]
    told = getattr(record, FIELDS)
    assert told["exit_code"] == 254
    assert told["stderr"].endswith(
        "The SSO session of profile … is over: run aws sso login\n"
        "token=… Bearer … … of https://sso.eu-west-1.amazonaws.com/start"
    )
    assert len(told["stderr"]) < 2000


async def test_an_exec_plugin_that_is_not_there_is_named(tmp_path: Path) -> None:
    user = plugin(tmp_path, "")
    user["exec"]["command"] = "no-such-plugin"
    with pytest.raises(ConfigError, match=r"no-such-plugin cannot be started: No such file.*install it"):
        await load(settings(tmp_path, user), VirtualClock())


@pytest.mark.parametrize("field", [{"args": ["a\0b"]}, {"env": [{"name": "A", "value": "b\0"}]}])
async def test_what_no_program_can_be_given_is_said(tmp_path: Path, field: dict[str, Any]) -> None:
    user = plugin(tmp_path, "")
    user["exec"] |= field
    with pytest.raises(ConfigError, match="cannot be started: its command, args or env have a NUL"):
        await load(settings(tmp_path, user), VirtualClock())


async def test_an_exec_plugin_may_not_print_without_end(tmp_path: Path) -> None:
    user = plugin(tmp_path, "while True:\n    sys.stdout.write('x' * 2**16)")
    with pytest.raises(ConfigError, match="printed more than 1 MiB"):
        await load(settings(tmp_path, user), VirtualClock())


async def test_an_exec_plugin_that_hangs_is_given_30_s_and_killed_with_its_children(tmp_path: Path) -> None:
    child = tmp_path / "child"
    child.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(600)\n")
    child.chmod(child.stat().st_mode | stat.S_IXUSR)
    user = plugin(tmp_path, f"import subprocess\nsubprocess.run([{str(child)!r}])")
    clock = VirtualClock()
    loading = asyncio.create_task(load(settings(tmp_path, user), clock))
    await until((tmp_path / "runs").exists)
    await clock.advance(29)
    assert not loading.done()
    await clock.advance(2)
    with pytest.raises(ConfigError, match="not answered within 30 s"):
        await loading


async def test_an_exec_credential_is_renewed_before_it_expires(
    tmp_path: Path, certificate: Certificate
) -> None:
    server = ScriptedServer()
    streams = [Stream() for _ in range(3)]
    server.on("watch pods", *streams)
    expiry = datetime.fromtimestamp(1000.0 + 120.0, UTC).isoformat().replace("+00:00", "Z")
    later = datetime.fromtimestamp(1000.0 + 9000.0, UTC).isoformat().replace("+00:00", "Z")
    user = plugin(
        tmp_path, f"give(token=f'run{{count}}', expirationTimestamp={expiry!r} if count == 0 else {later!r})"
    )
    async with server.running(tls=certificate.context):
        config = kubeconfig(
            tmp_path / "config", server.url, user=user, cluster=trusting(certificate.authority)
        )
        async with recording(server, tmp_path, config=config) as record:
            await until(streams[0].opened.is_set)
            await record.clock.advance(60)
            streams[0].end()
            await until(streams[1].opened.is_set)
            await record.clock.advance(40)
            streams[1].end()
            await until(streams[2].opened.is_set)
    tokens = [
        token for what, token in zip(server.requests, server.tokens, strict=True) if what == "watch pods"
    ]
    assert tokens == ["Bearer run0", "Bearer run0", "Bearer run1"]
    assert (tmp_path / "runs").read_text() == "xx"


async def test_every_request_is_made_as_somebody_else(tmp_path: Path, certificate: Certificate) -> None:
    server = ScriptedServer()
    user = {"token": "good", "as": "viewer", "as-groups": ["a", "b"]}
    async with server.running(tls=certificate.context):
        config = kubeconfig(
            tmp_path / "config", server.url, user=user, cluster=trusting(certificate.authority)
        )
        async with recording(server, tmp_path, config=config) as record:
            await record.synced()
    who = (("Impersonate-User", "viewer"), ("Impersonate-Group", "a"), ("Impersonate-Group", "b"))
    assert set(server.impersonated) == {who}
    assert len(server.impersonated) > 5
