"""Where the cluster is and who we are there, ready for use."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import ssl
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from yarl import URL

from kstream.core.errors import ConfigError
from kstream.ports import Clock
from kstream.sources.address import Address, read_server
from kstream.sources.execplugin import Issued, cluster_info, run_plugin
from kstream.sources.files import read_whole
from kstream.sources.impersonation import impersonation
from kstream.sources.kubeconfig import Choice, KubeSettings, choose, config_paths, stamp
from kstream.sources.oidc import id_token
from kstream.sources.proxies import environment_proxy, own_proxy
from kstream.sources.tls import make_context

TOKEN_FILE_EVERY: Final = 60.0  # seconds after which a token file is read again (LISTWATCH 11)
EXPIRY_MARGIN: Final = 30.0  # seconds before its expiry at which a credential is renewed
_LARGEST: Final = 1 << 20  # bytes of a token, a certificate or a key
_POD: Final = "The service account of this pod"
_REMOVED: Final = {
    "gcp": "gke-gcloud-auth-plugin",
    "azure": "kubelogin",
}


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """All that a request needs."""

    host: str  # "https://10.0.0.1:6443", no slash at the end, nobody's name or password in it
    cluster: str  # the name that the context gives it
    namespace: str  # the context's, "" if it has none
    authorization: str = field(default="", repr=False)  # the header's value, "" for none
    impersonation: tuple[tuple[str, str], ...] = ()  # headers
    token_file: Path | None = None  # where a newer token may be
    expires: float | None = None  # seconds since the Unix epoch
    tls: ssl.SSLContext | None = None  # None for http
    certified: bool = False  # a client certificate is shown
    proxy: URL | None = field(default=None, repr=False)
    connection: str = ""  # equal for credentials that can share connections
    secrets: frozenset[str] = field(default=frozenset(), repr=False)  # what nobody may read
    files: tuple[Path, ...] = ()
    stamp: tuple[tuple[int, int], ...] = ()  # of the files, when they were read


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """A client certificate with its key, in PEM; b"" for none."""

    certificate: bytes = b""
    key: bytes = b""


@dataclass(frozen=True, kw_only=True)
class _Login:
    """Who we say that we are."""

    authorization: str = ""
    token_file: Path | None = None
    expires: float | None = None
    pair: _Pair = _Pair()
    secrets: tuple[str, ...] = ()


async def load(settings: KubeSettings, clock: Clock) -> Credentials:
    """Read and ask everything anew. Raises ConfigError for what is missing, unreadable, malformed or fails.

    Files are read, and keys parsed, in a thread: a slow disk must not stop the streams.
    """
    paths = await asyncio.to_thread(config_paths, settings)
    if not paths:
        return await asyncio.to_thread(_in_cluster, settings.service_account)
    stamped = await asyncio.to_thread(stamp, paths)
    choice = await asyncio.to_thread(choose, paths, settings.context)
    address = read_server(choice.cluster.server, choice.of_cluster)
    proxy = own_proxy(choice.cluster.proxy_url, choice.of_cluster)
    if proxy is None:
        proxy = environment_proxy(URL(address.host), os.environ)
    if address.secure:
        authority = await asyncio.to_thread(
            _content,
            choice.cluster.certificate_authority,
            choice.cluster.certificate_authority_data,
            choice.of_cluster,
        )
        login = await _login(choice, address, authority, proxy, clock)
        credentials = await asyncio.to_thread(_secure, choice, address, authority, proxy, login)
    else:
        # As kubectl: what could be read by whoever listens is not sent.
        login = _Login(authorization=address.basic)
        credentials = _credentials(choice, address, proxy, login)
    return replace(credentials, files=tuple(paths), stamp=stamped)


async def reread_token(credentials: Credentials) -> Credentials:
    """The same with the token that its file holds now; unchanged when the file cannot be read at the moment."""
    if credentials.token_file is None:
        return credentials
    try:
        token = await asyncio.to_thread(_token, credentials.token_file)
    except ConfigError:
        return credentials
    return replace(credentials, authorization=f"Bearer {token}", secrets=credentials.secrets | {token})


async def files_changed(credentials: Credentials) -> bool:
    return await asyncio.to_thread(stamp, credentials.files) != credentials.stamp


async def _login(
    choice: Choice, address: Address, authority: bytes, proxy: URL | None, clock: Clock
) -> _Login:
    """A user of the address comes first, then a token, a name with its password or a certificate, then exec."""
    user = choice.user
    provider = user.auth_provider
    if provider is not None and provider.name != "oidc":
        instead = _REMOVED.get(provider.name)
        remedy = f"log in with exec and {instead}" if instead else "log in with exec"
        raise ConfigError(
            f"{choice.of_user}: its auth-provider is {provider.name!r}, which kstream does not know; {remedy}"
        )
    pair = await asyncio.to_thread(_pair, choice)
    login = await asyncio.to_thread(_held, choice, pair)
    if provider is not None:
        issuer = provider.config.get("idp-certificate-authority", "")
        data = provider.config.get("idp-certificate-authority-data", "")
        trusted = await asyncio.to_thread(
            _content, issuer, _from_base64(data, choice.of_user), choice.of_user
        )
        identity = await id_token(provider.config, choice.of_user, trusted, clock)
        if not login.authorization:
            login = replace(
                login,
                authorization=f"Bearer {identity.token}",
                expires=identity.expires,
                secrets=(*login.secrets, identity.token),
            )
    elif user.exec is not None and not login.authorization and not pair.certificate:
        info = cluster_info(
            choice.cluster, host=address.host, authority=authority, proxy=str(proxy) if proxy else ""
        )
        login = _of_plugin(await run_plugin(user.exec, info, clock))
    if address.basic:
        login = replace(login, authorization=address.basic, token_file=None)
    if not login.authorization and not login.pair.certificate:
        missing = "has no credentials" if choice.user_there else "is not there"
        raise ConfigError(f"{choice.of_user}: it {missing}; add a token, a client-certificate or exec")
    return login


def _held(choice: Choice, pair: _Pair) -> _Login:
    """What the user entry itself has."""
    user = choice.user
    token = user.token
    token_file = Path(user.token_file) if user.token_file else None
    if token_file is not None:
        try:
            token = _token(token_file)
        except ConfigError:
            if not token:
                raise
    if token:
        return _Login(authorization=f"Bearer {token}", token_file=token_file, pair=pair, secrets=(token,))
    if user.username:
        basic = base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
        return _Login(authorization=f"Basic {basic}", pair=pair, secrets=(basic, user.password))
    return _Login(pair=pair)


def _of_plugin(issued: Issued) -> _Login:
    return _Login(
        authorization=f"Bearer {issued.token}" if issued.token else "",
        expires=issued.expires,
        pair=_Pair(certificate=issued.certificate.encode(), key=issued.key.encode()),
        secrets=(issued.token,),
    )


def _pair(choice: Choice) -> _Pair:
    user = choice.user
    certificate = _content(user.client_certificate, user.client_certificate_data, choice.of_user)
    if not certificate:
        return _Pair()  # a key alone says nothing
    return _Pair(certificate=certificate, key=_content(user.client_key, user.client_key_data, choice.of_user))


def _from_base64(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ConfigError(
            f"{where}: idp-certificate-authority-data is no base64; write the base64 of the PEM file"
        ) from None


def _content(path: str, data: bytes, where: str) -> bytes:
    """`data`, else what is in the file."""
    if data or not path:
        return data
    return _read(Path(path), f"{where}: {path}")


def _token(path: Path) -> str:
    try:
        token = _read(path, f"Token file {path}").decode().strip()
    except UnicodeDecodeError:
        raise ConfigError(f"Token file {path} cannot be read: it is no text; correct it") from None
    if not token:
        raise ConfigError(f"Token file {path} is empty")
    return token


def _read(path: Path, what: str) -> bytes:
    try:
        content = read_whole(path, most=_LARGEST)
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else "it is no path"
        raise ConfigError(f"{what} cannot be read: {cause}; correct it") from None
    if len(content) > _LARGEST:
        raise ConfigError(f"{what} cannot be read: it has more than {_LARGEST >> 20} MiB; correct it")
    return content


def _secure(
    choice: Choice, address: Address, authority: bytes, proxy: URL | None, login: _Login
) -> Credentials:
    cluster, pair = choice.cluster, login.pair
    tls = make_context(
        authority=authority,
        server_name=cluster.tls_server_name,
        insecure=cluster.insecure_skip_tls_verify,
        certificate=pair.certificate,
        key=pair.key,
        where=f"Kubeconfig {choice.files}",
    )
    material = (
        authority,
        pair.certificate,
        pair.key,
        cluster.tls_server_name.encode(),
        cluster.insecure_skip_tls_verify,
    )
    return replace(
        _credentials(choice, address, proxy, login, material=repr(material)),
        tls=tls,
        certified=bool(pair.certificate),
    )


def _credentials(
    choice: Choice, address: Address, proxy: URL | None, login: _Login, *, material: str = ""
) -> Credentials:
    if not _is_header(login.authorization):
        raise ConfigError(
            f"{choice.of_user}: its token has control characters or halves of characters; write it anew"
        )
    known = (address.password, address.basic.removeprefix("Basic "), (proxy.password or "") if proxy else "")
    connection = hashlib.sha256(repr((address.host, str(proxy), material)).encode()).hexdigest()
    return Credentials(
        host=address.host,
        cluster=choice.cluster_name,
        namespace=choice.namespace,
        authorization=login.authorization,
        impersonation=impersonation(choice.user, choice.of_user),
        token_file=login.token_file,
        expires=login.expires,
        proxy=proxy,
        connection=connection,
        secrets=frozenset(filter(None, (*login.secrets, *known))),
    )


def _is_header(value: str) -> bool:
    return all(letter >= " " or letter == "\t" for letter in value) and "\x7f" not in value


def _in_cluster(account: Path) -> Credentials:
    """As client-go's InClusterConfig."""
    # Here and not above: it brings the models of the whole API along, 34 MB that nobody else needs.
    from kubernetes_asyncio.client import Configuration
    from kubernetes_asyncio.config import ConfigException
    from kubernetes_asyncio.config.incluster_config import InClusterConfigLoader

    remedy = "mount one, or set --kubeconfig"
    configuration = Configuration()
    try:
        token = _token(account / "token")
        authority = _read(account / "ca.crt", f"The file {account / 'ca.crt'}")
        InClusterConfigLoader(str(account / "token"), str(account / "ca.crt")).load_and_set(configuration)
        address = read_server(configuration.host or "", _POD)
    except (ConfigError, ConfigException, OSError, ValueError) as error:
        raise ConfigError(f"{_POD} cannot be used: {error}; {remedy}") from None
    try:
        namespace = read_whole(account / "namespace", most=_LARGEST).decode().strip()
    except (OSError, UnicodeDecodeError):
        namespace = ""
    proxy = environment_proxy(URL(address.host), os.environ)
    tls = make_context(
        authority=authority, server_name="", insecure=False, certificate=b"", key=b"", where=_POD
    )
    return Credentials(
        host=address.host,
        cluster="in-cluster",
        namespace=namespace,
        authorization=f"Bearer {token}",
        token_file=account / "token",
        tls=tls,
        proxy=proxy,
        connection=hashlib.sha256(repr((address.host, str(proxy), authority)).encode()).hexdigest(),
        secrets=frozenset({token}),
    )
