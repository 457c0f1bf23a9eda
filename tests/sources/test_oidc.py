"""`auth-provider: oidc` against an issuer that says what a test wants it to say."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from kstream.clock import VirtualClock
from kstream.core.errors import ConfigError
from kstream.sources.oidc import IdToken, id_token, read_id_token
from simulator.apiserver.tls import Certificate

WHERE = "User 'me'"
NOW = 1000.0


def jwt(claims: object) -> str:
    body = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return f"e30.{base64.urlsafe_b64encode(body).rstrip(b'=').decode()}.sig"


class Issuer:
    """Answers the discovery and the refresh; remembers what it was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.discovery: bytes | None = None
        self.answer = b""
        self.status = 200
        self.forms: list[dict[str, str]] = []

    async def discover(self, request: web.Request) -> web.Response:
        said = self.discovery or json.dumps({"token_endpoint": f"{self.url}/token"}).encode()
        return web.Response(body=said)

    async def refresh(self, request: web.Request) -> web.Response:
        self.forms.append({name: str(value) for name, value in (await request.post()).items()})
        headers = {"Location": "/token"} if self.status == 307 else {}
        return web.Response(body=self.answer, status=self.status, headers=headers)

    def config(self, **more: str) -> dict[str, str]:
        return {"idp-issuer-url": f"{self.url}/", "client-id": "c", "refresh-token": "r", **more}


@asynccontextmanager
async def issuing(certificate: Certificate) -> AsyncIterator[Issuer]:
    issuer, app = Issuer(), web.Application()
    app.router.add_get("/.well-known/openid-configuration", issuer.discover)
    app.router.add_post("/token", issuer.refresh)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificate.context).start()
        issuer.url = f"https://127.0.0.1:{runner.addresses[0][1]}"
        yield issuer
    finally:
        await runner.cleanup()


async def ask(config: dict[str, str], authority: str = "") -> IdToken:
    return await id_token(config, WHERE, authority.encode(), VirtualClock(NOW))


@pytest.mark.parametrize(
    ("claims", "expires"), [({}, None), ({"exp": None}, None), ({"exp": 1001}, 1001.0), ({"exp": 1e9}, 1e9)]
)
async def test_an_id_token_that_has_not_expired_is_used(
    claims: dict[str, Any], expires: float | None
) -> None:
    token = jwt(claims)
    config = {"idp-issuer-url": "https://127.0.0.1:1", "client-id": "c", "id-token": token}
    assert await ask(config) == (token, expires)


@pytest.mark.parametrize("missing", ["idp-issuer-url", "client-id"])
async def test_what_it_cannot_do_without_is_asked_for(missing: str) -> None:
    config = {"idp-issuer-url": "https://127.0.0.1:1", "client-id": "c", missing: ""}
    with pytest.raises(ConfigError, match=f"its auth-provider has no {missing}; add it"):
        await ask(config)


async def test_an_expired_token_that_cannot_be_renewed_is_to_be_had_by_logging_in() -> None:
    config = {"idp-issuer-url": "https://127.0.0.1:1", "client-id": "c", "id-token": jwt({"exp": NOW})}
    with pytest.raises(ConfigError, match="its id-token has expired, and there is no refresh-token"):
        await ask(config)


@pytest.mark.parametrize("secret", ["", "hidden"])
async def test_an_expired_token_is_renewed_at_its_issuer(certificate: Certificate, secret: str) -> None:
    fresh = jwt({"exp": NOW + 60})
    async with issuing(certificate) as issuer:
        issuer.answer = json.dumps({"id_token": fresh, "access_token": "a"}).encode()
        config = issuer.config(**{"id-token": jwt({"exp": NOW}), "client-secret": secret})
        assert await ask(config, certificate.authority) == (fresh, NOW + 60)
        assert issuer.forms == [
            {"grant_type": "refresh_token", "refresh_token": "r", "client_id": "c", "client_secret": secret}
        ]


@pytest.mark.parametrize(
    ("answer", "status", "cause"),
    [
        (b"{}", 400, "it answers 400"),
        (b"", 307, "it gives no id_token"),
        (b"{}", 200, "it gives no id_token"),
        (b"<html>", 200, "it gives no id_token"),
        (b"[]", 200, "it gives no id_token"),
        (b"\xff", 200, "it gives no id_token"),
        (b"[" * 100_000, 200, "it gives no id_token"),
        (b" " * ((1 << 20) + 1) + b"{}", 200, "it gives no id_token"),
    ],
)
async def test_an_issuer_that_gives_none_is_named_with_its_cause(
    certificate: Certificate, answer: bytes, status: int, cause: str
) -> None:
    async with issuing(certificate) as issuer:
        issuer.answer, issuer.status = answer, status
        with pytest.raises(ConfigError) as refused:
            await ask(issuer.config(), certificate.authority)
        assert len(issuer.forms) == 1, "a secret is not sent wherever it is told to"
    assert str(refused.value) == (
        f"{WHERE}: the id-token cannot be renewed at its idp-issuer-url: {cause}; log in anew"
    )


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:1/token", "ftp://127.0.0.1:1/token", "/token", "https://[::1"]
)
async def test_a_secret_goes_over_https_only(certificate: Certificate, endpoint: str) -> None:
    async with issuing(certificate) as issuer:
        issuer.discovery = json.dumps({"token_endpoint": endpoint}).encode()
        with pytest.raises(ConfigError, match="it gives no id_token"):
            await ask(issuer.config(), certificate.authority)
        assert issuer.forms == []


async def test_an_issuer_whom_nobody_vouches_for_is_not_reached(certificate: Certificate) -> None:
    async with issuing(certificate) as issuer:
        with pytest.raises(ConfigError, match="it cannot be reached"):
            await ask(issuer.config())
        assert issuer.forms == []


@pytest.mark.parametrize(
    "token",
    [
        "",
        "secret",
        "a.b",
        "a.b.c.d",
        "half \ud800.e30.sig",
        "a.*.c",
        "a.é.c",
        jwt([]),
        jwt(7),
        jwt(b"{"),
        jwt(b"\xff"),
        jwt(b"[" * 100_000),
        jwt({"exp": "soon"}),
        jwt({"exp": []}),
        jwt(b'{"exp": NaN}'),
        jwt(b'{"exp": -Infinity}'),
        jwt(b'{"exp": 1e999}'),
        jwt(b'{"exp": %b}' % (b"9" * 400)),
        jwt(b'{"exp": %b}' % (b"9" * 5_000)),
    ],
)
def test_what_is_no_jwt_is_said_to_be_and_not_repeated(token: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_id_token(token, WHERE)
    assert str(refused.value) == f"{WHERE}: its id-token is no JWT; log in anew"
