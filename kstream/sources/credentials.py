"""Where the cluster is and who we are there, ready for use."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import ssl
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from kubernetes_asyncio import config
from kubernetes_asyncio.client import Configuration
from kubernetes_asyncio.config.incluster_config import InClusterConfigLoader

from kstream.core.errors import ConfigError
from kstream.ports import Clock
from kstream.sources.execplugin import Issued, run_plugin
from kstream.sources.kubeconfig import Choice, KubeSettings, choose, config_paths, stamp

TOKEN_FILE_EVERY: Final = 60.0  # seconds after which a token file is read again (LISTWATCH 11)
EXPIRY_MARGIN: Final = 30.0  # seconds before its expiry at which a credential is renewed
_LIBRARY_SAYS: Final = (
    config.ConfigException,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    AssertionError,
    OSError,
)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """All that a request needs."""

    host: str  # "https://10.0.0.1:6443", no slash at the end
    cluster: str  # the name that the context gives it
    namespace: str  # the context's, "" if it has none
    authorization: str  # the header's value, "" for none
    token_file: Path | None  # where a newer token may be
    expires: float | None  # seconds since the Unix epoch
    tls: ssl.SSLContext | None  # None for http
    certified: bool  # a client certificate is shown
    server_name: str | None  # what the certificate is for, when it is not the host
    proxy: str | None
    connection: str  # equal for credentials that can share connections
    files: tuple[Path, ...]
    stamp: tuple[tuple[int, int], ...]  # of the files, when they were read


async def load(settings: KubeSettings, clock: Clock) -> Credentials:
    """Read and ask everything anew. Raises ConfigError for what is missing, unreadable, malformed or fails.

    Files are read, and keys parsed, in a thread: a slow disk must not stop the streams.
    """
    paths = await asyncio.to_thread(config_paths, settings)
    if not paths:
        return await asyncio.to_thread(_in_cluster, settings.service_account)
    stamped = await asyncio.to_thread(stamp, paths)
    choice = await asyncio.to_thread(choose, paths, settings.context)
    issued = None
    if plugin := choice.user.get("exec"):
        issued = await run_plugin(plugin, choice.cluster, clock)
    credentials = await asyncio.to_thread(_from_choice, choice, issued)
    return replace(credentials, files=tuple(paths), stamp=stamped)


async def reread_token(credentials: Credentials) -> Credentials:
    """The same with the token that its file holds now; unchanged when the file cannot be read at the moment."""
    if credentials.token_file is None:
        return credentials
    try:
        token = await asyncio.to_thread(_token, credentials.token_file)
    except ConfigError:
        return credentials
    return replace(credentials, authorization=f"Bearer {token}")


async def files_changed(credentials: Credentials) -> bool:
    return await asyncio.to_thread(stamp, credentials.files) != credentials.stamp


def _token(path: Path) -> str:
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Token file {path} cannot be read: {error}") from error
    if not token:
        raise ConfigError(f"Token file {path} is empty")
    return token


def _from_choice(choice: Choice, issued: Issued | None) -> Credentials:
    user: dict[str, Any] = {
        name: value for name, value in choice.user.items() if name not in ("exec", "tokenFile")
    }
    token_file = Path(choice.user["tokenFile"]) if choice.user.get("tokenFile") and issued is None else None
    if issued is not None and issued.certificate:
        user["client-certificate-data"] = base64.b64encode(issued.certificate.encode()).decode()
        user["client-key-data"] = base64.b64encode(issued.key.encode()).decode()
    one = {
        "current-context": "chosen",
        "contexts": [{"name": "chosen", "context": {"cluster": "chosen", "user": "chosen"}}],
        "clusters": [{"name": "chosen", "cluster": choice.cluster}],
        "users": [{"name": "chosen", "user": user}],
    }
    configuration = Configuration()
    try:
        _complete(config.load_kube_config_from_dict(one, client_configuration=configuration), user)
    except _LIBRARY_SAYS as error:
        raise ConfigError(
            f"Kubeconfig {choice.files} cannot be used: {str(error) or type(error).__name__}"
        ) from error
    authorization = str(configuration.api_key.get("BearerToken", ""))
    if issued is not None and issued.token:
        authorization = f"Bearer {issued.token}"
    elif token_file is not None:
        authorization = f"Bearer {_token(token_file)}"
    return _credentials(
        configuration,
        cluster=choice.cluster_name,
        namespace=choice.namespace,
        shown=choice.files,
        authorization=authorization,
        token_file=token_file,
        expires=issued.expires if issued is not None else None,
    )


def _complete(loading: Coroutine[Any, Any, object], user: dict[str, Any]) -> None:
    """Only an auth-provider waits, for its server; all else needs no event loop, only somebody to start it."""
    if "auth-provider" in user:
        asyncio.run(loading)  # a loop of this thread's own
        return
    try:
        loading.send(None)
    except StopIteration:
        return
    loading.close()
    raise ConfigError(
        "The kubeconfig needs something that cannot be waited for; use a token or an exec plugin"
    )


def _in_cluster(account: Path) -> Credentials:
    configuration = Configuration()
    token_file = account / "token"
    try:
        loader = InClusterConfigLoader(
            token_filename=str(token_file), cert_filename=str(account / "ca.crt"), try_refresh_token=False
        )
        loader.load_and_set(configuration)
    except (config.ConfigException, OSError) as error:
        raise ConfigError(
            f"The service account of this pod cannot be used: {error}; mount one, or set --kubeconfig"
        ) from error
    try:
        namespace = (account / "namespace").read_text(encoding="utf-8").strip()
    except OSError:
        namespace = ""
    return _credentials(
        configuration,
        cluster="in-cluster",
        namespace=namespace,
        shown="of the pod's service account",
        authorization=f"Bearer {_token(token_file)}",
        token_file=token_file,
        expires=None,
    )


def _environment_proxy(host: str) -> str | None:
    """HTTPS_PROXY, HTTP_PROXY and NO_PROXY. Not aiohttp's own reading of them: it would take a ~/.netrc for
    credentials, too, and send them in place of ours."""
    url = urlsplit(host)
    if proxy_bypass(url.netloc):
        return None
    return getproxies().get(url.scheme)


def _credentials(
    configuration: Configuration,
    *,
    cluster: str,
    namespace: str,
    shown: str,
    authorization: str,
    token_file: Path | None,
    expires: float | None,
) -> Credentials:
    host = str(configuration.host).rstrip("/")
    proxy = configuration.proxy or _environment_proxy(host)
    tls = None
    material = hashlib.sha256(repr((host, configuration.tls_server_name, proxy)).encode())
    if host.startswith("https"):
        files = [configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file]
        try:
            tls = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
            if configuration.cert_file:
                tls.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
            for file in files:
                material.update(Path(file).read_bytes() if file else b"-")
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"A certificate of {shown} cannot be used: {error}") from error
        # As kubectl, which accepts a CA without key identifiers; Python 3.13 would not.
        tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if not configuration.verify_ssl:
            material.update(b"unverified")
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
    return Credentials(
        host=host,
        cluster=cluster,
        namespace=namespace,
        authorization=authorization.strip(),
        token_file=token_file,
        expires=expires,
        tls=tls,
        certified=bool(configuration.cert_file),
        server_name=configuration.tls_server_name,
        proxy=proxy,
        connection=material.hexdigest(),
        files=(),
        stamp=(),
    )
