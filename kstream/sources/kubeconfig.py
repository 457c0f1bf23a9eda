"""Where the cluster is and who we are there: kubeconfig files, or the service account of a pod.

kubernetes-asyncio reads the formats; what it does not do well enough for a process that runs for weeks is done here:
errors that name the file, several files, token files and exec plugins that are asked again (LISTWATCH 11).
"""

from __future__ import annotations

import asyncio
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from kubernetes_asyncio import config
from kubernetes_asyncio.client import Configuration
from kubernetes_asyncio.config.incluster_config import (
    SERVICE_CERT_FILENAME,
    SERVICE_TOKEN_FILENAME,
    InClusterConfigLoader,
)

from kstream.core.errors import ConfigError

_IN_CLUSTER: Final = "KUBERNETES_SERVICE_HOST"


@dataclass(frozen=True, kw_only=True)
class KubeSettings:
    """How to find the cluster, and what of it to watch."""

    kubeconfig: str | None = (
        None  # one path or several, joined as in $KUBECONFIG; None: $KUBECONFIG, ~/.kube/config
    )
    context: str | None = None  # None: the current one
    namespaces: tuple[str, ...] = ()  # none: all


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """All that a request needs."""

    host: str  # "https://10.0.0.1:6443", no slash at the end
    cluster: str  # the name that the context gives it
    namespace: str  # the context's, "" if it has none
    authorization: str  # the header's value, "" for none
    tls: ssl.SSLContext | None  # None for http
    server_name: str | None  # what the certificate is for, when it is not the host
    proxy: str | None


async def load(settings: KubeSettings) -> Credentials:
    """Read it all again. Raises ConfigError for what is missing, unreadable or malformed."""
    paths = _paths(settings)
    # Files are read, and keys parsed, in a thread: a slow disk must not stop the streams.
    return await asyncio.to_thread(_load, settings, paths)


def _paths(settings: KubeSettings) -> list[Path]:
    joined = settings.kubeconfig or os.environ.get("KUBECONFIG")
    if joined:
        return [Path(path).expanduser() for path in joined.split(os.pathsep) if path]
    default = Path("~/.kube/config").expanduser()
    if not default.exists() and os.environ.get(_IN_CLUSTER):
        return []
    return [default]


def _load(settings: KubeSettings, paths: list[Path]) -> Credentials:
    if not paths:
        return _in_cluster()
    shown = os.pathsep.join(map(str, paths))
    present = [path for path in paths if path.exists()]
    if not present:
        raise ConfigError(
            f"Kubeconfig {shown} does not exist; set --kubeconfig or KUBECONFIG to the file of your cluster"
        )
    for path in present:
        _check(path)
    configuration = Configuration()
    try:
        loader = asyncio.run(
            config.load_kube_config(
                config_file=os.pathsep.join(map(str, present)),
                context=settings.context,
                client_configuration=configuration,
                persist_config=False,
            )
        )
    except (
        config.ConfigException,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        AssertionError,
        OSError,
    ) as error:
        raise ConfigError(
            f"Kubeconfig {shown} cannot be used: {str(error) or type(error).__name__}"
        ) from error
    context: dict[str, Any] = (loader.current_context or {}).get("context") or {}
    return _credentials(
        configuration,
        cluster=str(context.get("cluster", "")),
        namespace=context.get("namespace") or "",
        shown=shown,
    )


def _check(path: Path) -> None:
    """Say what is wrong with a file before the library says it less well."""
    try:
        content = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConfigError(f"Kubeconfig {path} cannot be read: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = " ".join(str(error).split())
        raise ConfigError(f"Kubeconfig {path} is no YAML: {where}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"Kubeconfig {path} is no kubeconfig: it has no clusters, users and contexts")


def _in_cluster() -> Credentials:
    configuration = Configuration()
    try:
        loader = InClusterConfigLoader(
            token_filename=SERVICE_TOKEN_FILENAME,
            cert_filename=SERVICE_CERT_FILENAME,
            try_refresh_token=False,
        )
        loader.load_and_set(configuration)
    except (config.ConfigException, OSError) as error:
        raise ConfigError(f"The service account of this pod cannot be used: {error}") from error
    return _credentials(
        configuration, cluster="in-cluster", namespace="", shown="of the pod's service account"
    )


def _credentials(configuration: Configuration, *, cluster: str, namespace: str, shown: str) -> Credentials:
    host = str(configuration.host).rstrip("/")
    tls = None
    if host.startswith("https"):
        try:
            tls = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
            if configuration.cert_file:
                tls.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"A certificate of {shown} cannot be used: {error}") from error
        if not configuration.verify_ssl:
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
    return Credentials(
        host=host,
        cluster=cluster or "unknown",
        namespace=namespace,
        authorization=str(configuration.api_key.get("BearerToken", "")).strip(),
        tls=tls,
        server_name=configuration.tls_server_name,
        proxy=configuration.proxy,
    )
