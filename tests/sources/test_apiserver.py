"""Requests to one API server: with whose credentials, on which connection, and what it means when they fail."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from kstream.clock import VirtualClock
from kstream.core.errors import ConfigError
from kstream.core.watching.reflection import Failure
from kstream.sources.apiserver import ApiServer, EncodedError, UnverifiedError, cause_of, failure_of
from kstream.sources.kubeconfig import KubeSettings
from tests.scripted import ScriptedServer, answer, kubeconfig

KEY = ConnectionKey("h", 6443, True, True, None, None, None)


@asynccontextmanager
async def connected(server: ScriptedServer, folder: Path) -> AsyncIterator[ApiServer]:
    async with server.running():
        path = kubeconfig(folder / "config", server.url)
        api = ApiServer(KubeSettings(kubeconfig=str(path)), VirtualClock())
        try:
            await api.connect()
            yield api
        finally:
            await api.close()


async def status(api: ApiServer, path: str = "/version") -> int:
    async with await api.get(path, {}) as response:
        return response.status


async def test_an_answer_that_is_encoded_is_not_read(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on("get /version", answer(b"{}", headers={"Content-Encoding": "br"}))
    async with connected(server, tmp_path) as api:
        with pytest.raises(
            EncodedError, match="the answer to /version is encoded \\('br'\\), which nobody asked for"
        ):
            await api.get("/version", {})
    assert failure_of(EncodedError("so"))[0] is Failure.CUT


async def test_a_redirect_is_an_answer_and_is_not_followed(tmp_path: Path) -> None:
    server = ScriptedServer()
    server.on("get /version", answer(status=302, headers={"Location": "https://elsewhere.test/"}))
    async with connected(server, tmp_path) as api:
        assert await status(api) == 302


async def test_the_first_connection_is_not_doubted_and_one_that_broke_is_verified_once(
    tmp_path: Path,
) -> None:
    verified: list[int] = []

    async def verify() -> None:
        verified.append(len(verified))
        await asyncio.sleep(0)

    async with connected(ScriptedServer(), tmp_path) as api:
        api.verify = verify
        assert await status(api) == 200
        assert verified == []
        api.doubt()
        assert await asyncio.gather(*(status(api) for _ in range(3))) == [200] * 3
        assert verified == [0]


async def test_nobody_is_asked_while_another_cluster_answers(tmp_path: Path) -> None:
    async def verify() -> None:
        raise UnverifiedError("another cluster")

    server = ScriptedServer()
    async with connected(server, tmp_path) as api:
        api.verify = verify
        api.doubt()
        for _ in range(2):
            with pytest.raises(UnverifiedError, match="another cluster"):
                await api.get("/version", {})
        assert server.requests == []
        async with await api.ask("GET", "/version") as response:  # whoever verifies has to ask
            assert response.status == 200


async def test_credentials_are_renewed_once_for_all_who_found_the_same_wanting(tmp_path: Path) -> None:
    async with connected(ScriptedServer(), tmp_path) as api:
        assert api.serial == 1
        await asyncio.gather(*(api.renew(1) for _ in range(5)))
        assert api.serial == 2
        await api.renew(1)
        assert api.serial == 2, "those of 1 are no longer in use"
        await api.renew(2, only_if_changed=True)
        assert api.serial == 2
        path = tmp_path / "config"
        path.write_text(path.read_text() + "\n# another\n")
        await api.renew(2, only_if_changed=True)
        assert api.serial == 3


async def test_a_kubeconfig_that_can_no_longer_be_read_leaves_what_was(tmp_path: Path) -> None:
    async with connected(ScriptedServer(), tmp_path) as api:
        (tmp_path / "config").write_text("clusters: [")
        with pytest.raises(ConfigError):
            await api.renew(1)
        assert api.serial == 1
        assert await status(api) == 200


async def test_what_is_closed_is_not_asked(tmp_path: Path) -> None:
    async with connected(ScriptedServer(), tmp_path) as api:
        await api.close()
        with pytest.raises(UnverifiedError, match="the connection is being made anew"):
            await api.get("/version", {})


def test_before_it_is_connected_nothing_is_secret() -> None:
    assert ApiServer(KubeSettings(kubeconfig="none"), VirtualClock()).redacted("text") == "text"


def refused(error: OSError) -> aiohttp.ClientConnectorError:
    return aiohttp.ClientConnectorError(KEY, error)


def proxy_refusal() -> aiohttp.ClientHttpProxyError:
    info: Any = SimpleNamespace(real_url="http://proxy")
    return aiohttp.ClientHttpProxyError(info, (), status=407)


def tls_error(reason: str) -> aiohttp.ClientConnectorSSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] as OpenSSL says it (_ssl.c:1006)")
    error.reason = reason
    return aiohttp.ClientConnectorSSLError(KEY, error)


CERTIFICATE = aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError("not for h"))
PROXY = aiohttp.ClientProxyConnectionError(KEY, OSError(111, "Connection refused"))
WHICH = "see proxy-url in the kubeconfig, or else HTTPS_PROXY or HTTP_PROXY"


@pytest.mark.parametrize(
    ("error", "meaning", "said"),
    [
        (refused(OSError(111, "x")), Failure.UNREACHED, "Cannot connect to h:6443: Connection refused"),
        (CERTIFICATE, Failure.UNREACHED, "The certificate of h:6443 is not trusted: "),
        (PROXY, Failure.UNREACHED, f"The proxy h:6443 cannot be reached: Connection refused; {WHICH}"),
        (proxy_refusal(), Failure.UNREACHED, f"The proxy refuses to connect us: it answers 407; {WHICH}"),
        (
            tls_error("WRONG_VERSION_NUMBER"),
            Failure.UNREACHED,
            "h:6443 does not speak TLS: in the kubeconfig, server has to begin with http://, or have another port",
        ),
        (
            tls_error("TLSV1_ALERT_PROTOCOL_VERSION"),
            Failure.UNREACHED,
            "TLS with h:6443 failed: tlsv1 alert protocol version",
        ),
        (aiohttp.InvalidURL("x"), Failure.UNREACHED, "The address is none; see server in the kubeconfig"),
        (ConfigError("no token"), Failure.UNREACHED, "no token"),
        (UnverifiedError("another cluster"), Failure.UNREACHED, "another cluster"),
        (aiohttp.ServerDisconnectedError("gone"), Failure.CUT, "the connection broke: gone"),
        (ConnectionResetError(), Failure.CUT, "the connection broke: ConnectionResetError"),
        (ValueError("a line of 20 MiB"), Failure.CUT, "the connection broke: a line of 20 MiB"),
    ],
)
def test_what_fails_is_said_in_words_and_is_either_no_connection_or_one_that_broke(
    error: Exception, meaning: Failure, said: str
) -> None:
    found, detail = failure_of(error)
    assert found is meaning
    assert detail.startswith(said)


@pytest.mark.parametrize(
    ("error", "perhaps"),
    [
        (aiohttp.ServerDisconnectedError("gone"), True),
        (aiohttp.ClientOSError(104, "reset"), True),
        (ssl.SSLError("alert"), True),
        (refused(OSError(111, "x")), False),
        (ValueError("other"), False),
    ],
)
def test_where_a_certificate_was_shown_a_connection_that_breaks_may_be_its_refusal(
    error: Exception, perhaps: bool
) -> None:
    assert ("client-certificate" in cause_of(error, certified=True)) is perhaps
    assert "client-certificate" not in cause_of(error)
