"""Who the cluster is: name, version, and the uid of kube-system (LISTWATCH 15)."""

from __future__ import annotations

from typing import Final, NamedTuple

import aiohttp
import msgspec

from kstream.core.errors import MalformedError
from kstream.core.kube.resources import decode_object, decode_status
from kstream.core.timeline.events import Kind
from kstream.core.timeline.health import ClusterInfo
from kstream.ports import Clock
from kstream.sources.apiserver import FAILURES, ApiServer, cause_of
from kstream.sources.watch import within

_WITHIN: Final = 30.0  # seconds for each question
_LARGEST: Final = 4 << 20  # bytes of an answer: etcd holds no object of more than 1.5 MiB
_LONGEST: Final = 100  # characters of a version that are passed on
_WATCH_LIST_SINCE: Final = 34  # the minor version whose servers have WatchList on by default


class Identity(NamedTuple):
    cluster: ClusterInfo
    watch_list: bool  # the server is new enough to have it


class UnidentifiedError(Exception):
    """The cluster does not say who it is; `status` is what it answered instead, 0 for nothing."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status

    @property
    def reached(self) -> bool:
        """The cluster itself has answered, and it knows us (PROTOCOL 8)."""
        return 200 <= self.status < 500 and self.status != 401


_SPEAKS_TLS: Final = b"HTTP request to an HTTPS server"  # Go's net/http to whoever comes without


class Version(msgspec.Struct, rename="camel"):
    git_version: str = "unknown"
    major: str = ""
    minor: str = ""


async def identify(api: ApiServer, clock: Clock) -> Identity:
    """Ask. Raises UnidentifiedError when nothing answers, or when the answer is that we are nobody (401)."""
    status, body = await ask_for(api, clock, "/version")
    version = Version()
    if status == 200:
        version = read_version(body, api.credentials.host)
    elif status == 404:
        raise UnidentifiedError(f"{api.credentials.host} is no Kubernetes API server: it has no /version")
    uid = ""
    status, body = await ask_for(api, clock, "/api/v1/namespaces/kube-system")
    if status == 200:
        try:
            uid = decode_object(Kind.NAMESPACE, body).key.uid
        except MalformedError as error:
            raise UnidentifiedError(str(error)) from error
    said = "".join(c for c in api.redacted(version.git_version)[:_LONGEST] if c.isprintable())
    return Identity(ClusterInfo(api.credentials.cluster, said, uid), has_watch_list(version))


def read_version(body: bytes, host: str) -> Version:
    """The answer to /version. Raises UnidentifiedError for what no API server says."""
    try:
        version = msgspec.json.decode(body, type=Version)
    except RecursionError as error:
        raise UnidentifiedError(f"{host} is no Kubernetes API server: it answers nested JSON") from error
    except ValueError as error:
        raise UnidentifiedError(f"{host} is no Kubernetes API server: {error}") from error
    if version == Version():
        raise UnidentifiedError(f"{host} is no Kubernetes API server: its /version names no version of one")
    return version


def has_watch_list(version: Version) -> bool:
    """By default; a minor version may have a suffix ("36+")."""
    minor = "".join(c for c in version.minor[:_LONGEST] if c in "0123456789")
    return version.major == "1" and bool(minor) and int(minor) >= _WATCH_LIST_SINCE


async def ask_for(api: ApiServer, clock: Clock, path: str) -> tuple[int, bytes]:
    """Status and body; 403 and 404 are answers. Raises UnidentifiedError for what else is no 200."""
    try:
        status, body = await within(clock, _WITHIN, _get(api, path))
    except TimeoutError:
        raise UnidentifiedError(f"No answer from {api.credentials.host} within {_WITHIN:.0f} s") from None
    except FAILURES as error:
        raise UnidentifiedError(cause_of(error, certified=api.credentials.certified)) from error
    if status in (200, 403, 404):
        return status, body
    said = decode_status(body)
    reason = said.message if said is not None and said.message else "no reason was given"
    if status == 400 and _SPEAKS_TLS in body:
        reason = "it speaks TLS: server in the kubeconfig has to begin with https://"
    raise UnidentifiedError(f"{api.credentials.host} answers {status} to {path}: {reason}", status=status)


async def _get(api: ApiServer, path: str) -> tuple[int, bytes]:
    async with await api.ask("GET", path) as response:
        return response.status, await whole(response, path)


async def whole(response: aiohttp.ClientResponse, path: str) -> bytes:
    """The body of an answer to `path`. Raises ValueError for one that is too long, and FAILURES."""
    body = bytearray()
    async for data in response.content.iter_any():
        body += data
        if len(body) > _LARGEST:
            raise ValueError(f"the answer to {path} is longer than {_LARGEST >> 20} MiB")
    return bytes(body)
