"""`auth-provider: oidc`: an ID token, and a new one for its refresh token when it has expired.

As client-go does it, but for the new tokens, which kubectl writes into the kubeconfig: kstream writes nothing there.
"""

from __future__ import annotations

import base64
import json
import math
import os
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import aiohttp

from kstream.connecting import url_of
from kstream.core.errors import ConfigError
from kstream.ports import Clock
from kstream.sources.proxies import environment_proxy
from kstream.sources.tls import make_context

_WITHIN: Final = 30.0  # seconds for each question
_LARGEST: Final = 1 << 20  # bytes of an answer
_DISCOVERY: Final = "/.well-known/openid-configuration"


class IdToken(NamedTuple):
    token: str
    expires: float | None  # seconds since the Unix epoch


async def id_token(config: Mapping[str, str], where: str, authority: bytes, clock: Clock) -> IdToken:
    """Of `auth-provider.config`; `authority` is its PEM. Raises ConfigError, with nothing of a token in it."""
    for name in ("idp-issuer-url", "client-id"):
        if not config.get(name):
            raise ConfigError(f"{where}: its auth-provider has no {name}; add it")
    if config.get("id-token"):
        held = read_id_token(config["id-token"], where)
        if held.expires is None or held.expires > clock.time():
            return held
    if not config.get("refresh-token"):
        raise ConfigError(f"{where}: its id-token has expired, and there is no refresh-token; log in anew")
    return read_id_token(await _refreshed(config, where, authority), where)


def read_id_token(token: str, where: str) -> IdToken:
    """What a JWT says of itself; nobody checks its signature here. Raises ConfigError, with nothing of it."""
    try:
        token.encode()  # an issuer's JSON may have halves of characters, which no header can
        _, claims, _ = token.split(".")
        expires = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))).get("exp")
        if expires is None:
            return IdToken(token, None)
        if not math.isfinite(seconds := float(expires)):
            raise ValueError("it is no moment")
        return IdToken(token, seconds)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise ConfigError(f"{where}: its id-token is no JWT; log in anew") from None


async def _refreshed(config: Mapping[str, str], where: str, authority: bytes) -> str:
    issuer = config["idp-issuer-url"].rstrip("/")
    tls = make_context(
        authority=authority, server_name="", insecure=False, certificate=b"", key=b"", where=where
    )
    try:
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls), timeout=aiohttp.ClientTimeout(total=_WITHIN)
        ) as session:
            discovered = await _ask(session, "GET", issuer + _DISCOVERY, {})
            answer = await _ask(
                session,
                "POST",
                str(discovered["token_endpoint"]),
                {
                    "grant_type": "refresh_token",
                    "refresh_token": config["refresh-token"],
                    "client_id": config["client-id"],
                    "client_secret": config.get("client-secret", ""),
                },
            )
        return str(answer["id_token"])
    except aiohttp.ClientResponseError as error:
        cause = f"it answers {error.status}"
    except (aiohttp.ClientError, OSError, TimeoutError):
        cause = "it cannot be reached"
    except (ValueError, KeyError, TypeError, RecursionError):
        cause = "it gives no id_token"
    raise ConfigError(
        f"{where}: the id-token cannot be renewed at its idp-issuer-url: {cause}; log in anew"
    ) from None


async def _ask(
    session: aiohttp.ClientSession, method: str, address: str, form: dict[str, str]
) -> dict[str, Any]:
    url = url_of(address)
    if url.scheme != "https":
        raise ValueError("a secret goes over https only")
    async with session.request(
        method,
        url,
        data=form or None,
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        proxy=environment_proxy(url, os.environ),
        raise_for_status=True,
        allow_redirects=False,
    ) as response:
        body = bytearray()
        async for data in response.content.iter_any():
            body += data
            if len(body) > _LARGEST:
                raise ValueError("too long")
        answer = json.loads(body)
        if not isinstance(answer, dict):
            raise TypeError("no object")
        return answer
