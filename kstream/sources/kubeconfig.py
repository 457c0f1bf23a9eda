"""Kubeconfig files → what a connection needs.

Files are merged as kubectl merges them: for a name, and for the current context, the first file wins; paths in a file
are relative to it. What the user entry means is left to kubernetes-asyncio, but for what a process that runs for weeks
needs asked again: token files and exec plugins (LISTWATCH 11).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from kstream.core.errors import ConfigError
from kstream.sources.documents import read_document, told

_IN_CLUSTER: Final = "KUBERNETES_SERVICE_HOST"
_PATHS: Final = {
    "cluster": ("certificate-authority",),
    "user": ("client-certificate", "client-key", "tokenFile"),
}


@dataclass(frozen=True, kw_only=True)
class KubeSettings:
    """How to find the cluster, and what of it to watch."""

    kubeconfig: str | None = (
        None  # one path, or several joined as in $KUBECONFIG; None: that, then ~/.kube/config
    )
    context: str | None = None  # None: the current one
    namespaces: tuple[str, ...] = ()  # none: all
    service_account: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount")  # where a pod finds its own


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The chosen context and what it refers to, paths made absolute."""

    files: str  # for messages
    cluster_name: str
    namespace: str  # "" if the context has none
    cluster: dict[str, Any]
    user: dict[str, Any]


def config_paths(settings: KubeSettings) -> list[Path]:
    """The files to read; none means the service account of the pod that this runs in."""
    joined = settings.kubeconfig or os.environ.get("KUBECONFIG")
    if joined:
        return [Path(path).expanduser() for path in joined.split(os.pathsep) if path]
    default = Path("~/.kube/config").expanduser()
    if not default.exists() and os.environ.get(_IN_CLUSTER):
        return []
    return [default]


def stamp(paths: Sequence[Path]) -> tuple[tuple[int, int], ...]:
    """Changes when a file does."""
    stats = []
    for path in paths:
        try:
            stat = path.stat()
        except OSError:
            stats.append((0, 0))
        else:
            stats.append((stat.st_mtime_ns, stat.st_size))
    return tuple(stats)


def choose(paths: Sequence[Path], context: str | None) -> Choice:
    """Raises ConfigError for what is missing, unreadable, malformed, or refers to what is not there."""
    shown = os.pathsep.join(map(str, paths))
    contents = [(path, _read(path)) for path in paths if path.exists()]
    if not contents:
        raise ConfigError(
            f"Kubeconfig {shown} does not exist; set --kubeconfig or KUBECONFIG to the file of your cluster"
        )
    contexts = _entries(contents, "contexts", "context")
    current = next((name for _, c in contents if (name := c.get("current-context"))), None)
    if isinstance(current, list | dict):
        raise ConfigError(
            f"Kubeconfig {shown}: current-context is no name; write one, or choose with --context"
        )
    name = context or (str(current) if current else None)
    if not name:
        raise ConfigError(f"Kubeconfig {shown} has no current context; choose one with --context")
    if name not in contexts:
        names = ", ".join(sorted(contexts)) or "none"
        raise ConfigError(f"Kubeconfig {shown} has no context {name!r}; it has: {names}")
    chosen = contexts[name]
    cluster = _referred(contents, "cluster", chosen, name, shown)
    if not isinstance(cluster.get("server"), str):
        raise ConfigError(
            f"Kubeconfig {shown}: cluster {chosen['cluster']!r} has no server; add its https:// address"
        )
    user = _referred(contents, "user", chosen, name, shown) if chosen.get("user") else {}
    return Choice(
        files=shown,
        cluster_name=str(chosen["cluster"]),
        namespace=str(chosen.get("namespace") or ""),
        cluster=cluster,
        user=user,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        _, content = read_document(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"Kubeconfig {path} cannot be read: {error.strerror or error}; check its mode"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"Kubeconfig {path} is no YAML: it is not UTF-8; write it anew") from error
    except yaml.YAMLError as error:
        raise ConfigError(
            f"Kubeconfig {path} is no YAML: {told(error)}; correct it or write it anew"
        ) from None
    if content is None:
        return {}  # an empty file among several is allowed
    if not isinstance(content, dict):
        raise ConfigError(f"Kubeconfig {path} is no kubeconfig: it has no clusters, users and contexts")
    return content


def _entries(
    contents: Sequence[tuple[Path, dict[str, Any]]], section: str, field: str
) -> dict[str, dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = {}
    for path, content in contents:
        listed = content.get(section) or []
        if not isinstance(listed, list):
            raise ConfigError(f"Kubeconfig {path}: {section} is no list; correct it")
        for entry in listed:
            if not isinstance(entry, dict) or "name" not in entry:
                raise ConfigError(f"Kubeconfig {path}: an entry of {section} has no name; correct it")
            body = entry.get(field) or {}
            if not isinstance(body, dict):
                raise ConfigError(f"Kubeconfig {path}: {field} {entry['name']!r} is no mapping; correct it")
            entries.setdefault(str(entry["name"]), _absolute(body, field, path.absolute().parent))
    return entries


def _absolute(body: dict[str, Any], field: str, folder: Path) -> dict[str, Any]:
    body = dict(body)
    for name in _PATHS.get(field, ()):
        if isinstance(body.get(name), str) and body[name]:
            body[name] = str(folder / body[name])
    plugin = body.get("exec")
    if field == "user" and isinstance(plugin, dict) and os.sep in str(plugin.get("command", "")):
        body["exec"] = {**plugin, "command": str(folder / str(plugin["command"]))}
    return body


def _referred(
    contents: Sequence[tuple[Path, dict[str, Any]]],
    field: str,
    chosen: dict[str, Any],
    context: str,
    shown: str,
) -> dict[str, Any]:
    name = chosen.get(field)
    entry = _entries(contents, f"{field}s", field).get(str(name))
    if entry is None:
        raise ConfigError(
            f"Kubeconfig {shown}: context {context!r} refers to {field} {name!r}, which is not there"
        )
    return entry
