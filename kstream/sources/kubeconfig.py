"""Kubeconfig files → the cluster and the user of a context, as kubectl takes them.

Files are merged as kubectl merges them: for a name, and for the current context, the first file wins; paths in a file
are relative to it. What kubectl refuses is refused, in words of our own, which name the field and never what it holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kstream.core.errors import ConfigError
from kstream.sources.kubeconfigfile import Cluster, Context, Entries, Plugin, User, read_kubeconfig

_IN_CLUSTER: Final = "KUBERNETES_SERVICE_HOST"
_DEFAULT: Final = "~/.kube/config"
_PLUGIN_VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


@dataclass(frozen=True, kw_only=True)
class KubeSettings:
    """How to find the cluster, and what of it to watch."""

    kubeconfig: str | None = None  # the path of one file; None: those of $KUBECONFIG, then ~/.kube/config
    context: str | None = None  # None: the current one
    namespaces: tuple[str, ...] = ()  # none: all
    service_account: Path = Path("/var/run/secrets/kubernetes.io/serviceaccount")  # where a pod finds its own


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The chosen context and what it refers to, paths made absolute."""

    files: str  # for messages
    cluster_name: str
    user_name: str
    user_there: bool
    namespace: str  # "" if the context has none
    cluster: Cluster
    user: User

    @property
    def of_cluster(self) -> str:
        """For messages."""
        return f"Kubeconfig {self.files}, cluster {self.cluster_name!r}"

    @property
    def of_user(self) -> str:
        """For messages."""
        return f"Kubeconfig {self.files}, user {self.user_name!r}"


def config_paths(settings: KubeSettings) -> list[Path]:
    """The files to read; none means the service account of the pod that this runs in."""
    if settings.kubeconfig:
        return [_expanded(settings.kubeconfig)]
    if joined := os.environ.get("KUBECONFIG"):
        return [_expanded(path) for path in dict.fromkeys(joined.split(os.pathsep)) if path]
    default = _expanded(_DEFAULT)
    if os.environ.get(_IN_CLUSTER) and not default.exists():
        return []
    return [default]


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # neither $HOME nor an entry in passwd
        return Path(path)


def stamp(paths: Sequence[Path]) -> tuple[tuple[int, int], ...]:
    """Changes when a file does."""
    stats = []
    for path in paths:
        try:
            stat = path.stat()
        except (OSError, ValueError):
            stats.append((0, 0))
        else:
            stats.append((stat.st_mtime_ns, stat.st_size))
    return tuple(stats)


def choose(paths: Sequence[Path], context: str | None) -> Choice:
    """Raises ConfigError for what is missing, unreadable, malformed, or refers to what is not there."""
    shown = os.pathsep.join(map(str, paths))
    files = [entries for path in paths if (entries := read_kubeconfig(path)) is not None]
    if not files:
        raise ConfigError(f"Kubeconfig {shown} does not exist; {_remedy(paths)}")
    merged = _merged(files)
    name, chosen = _context(merged, context, shown)
    cluster = merged.clusters.get(chosen.cluster)
    if cluster is None:
        raise ConfigError(
            f"Kubeconfig {shown}: context {name!r} refers to cluster {chosen.cluster!r}, which is not there"
        )
    choice = Choice(
        files=shown,
        cluster_name=chosen.cluster,
        user_name=chosen.user,
        user_there=chosen.user in merged.users,
        namespace=chosen.namespace,
        cluster=cluster,
        user=merged.users.get(chosen.user, User()),
    )
    for wrong in (*_of_cluster(cluster), *_of_user(choice.user)):
        where, what = wrong
        raise ConfigError(f"{choice.of_cluster if where is Cluster else choice.of_user}: {what}")
    return choice


def _remedy(paths: Sequence[Path]) -> str:
    if len(paths) == 1 and os.pathsep in str(paths[0]):
        return f"--kubeconfig is one file; several are joined with {os.pathsep!r} in KUBECONFIG"
    return "set --kubeconfig or KUBECONFIG to the file of your cluster"


def _merged(files: Sequence[Entries]) -> Entries:
    backwards = list(reversed(files))
    return Entries.model_construct(
        clusters={name: each for file in backwards for name, each in file.clusters.items()},
        users={name: each for file in backwards for name, each in file.users.items()},
        contexts={name: each for file in backwards for name, each in file.contexts.items()},
        current_context=next((file.current_context for file in files if file.current_context), ""),
    )


def _context(merged: Entries, context: str | None, shown: str) -> tuple[str, Context]:
    name = context or merged.current_context
    if name in merged.contexts:
        return name, merged.contexts[name]
    if not merged.contexts:
        raise ConfigError(
            f"Kubeconfig {shown} has no contexts; give one that has with --kubeconfig, or write it"
            " (kubectl config set-context)"
        )
    names = ", ".join(sorted(merged.contexts))
    if not name:
        raise ConfigError(f"Kubeconfig {shown} has no current context; choose one with --context: {names}")
    raise ConfigError(f"Kubeconfig {shown} has no context {name!r}; it has: {names}")


_Wrong = tuple[type, str]


def _of_cluster(cluster: Cluster) -> Iterator[_Wrong]:
    """What client-go's validateClusterInfo refuses."""
    if not cluster.server:
        yield Cluster, "it has no server; add its https:// address"
    if cluster.certificate_authority and cluster.certificate_authority_data:
        yield (
            Cluster,
            "it has both certificate-authority and certificate-authority-data; remove the one that is not right",
        )
    if cluster.certificate_authority:
        yield from _unreadable(Cluster, "certificate-authority", cluster.certificate_authority)


def _of_user(user: User) -> Iterator[_Wrong]:
    """What client-go's validateAuthInfo refuses."""
    if (user.token or user.token_file) and (user.username or (user.token and user.password)):
        yield User, "it has both a token and a username or password; remove the one that is not right"
    if user.client_certificate or user.client_certificate_data:
        if user.client_certificate and user.client_certificate_data:
            yield User, "it has both client-certificate and client-certificate-data; remove one of them"
        if user.client_key and user.client_key_data:
            yield User, "it has both client-key and client-key-data; remove one of them"
        if not user.client_key and not user.client_key_data:
            yield User, "it has a client-certificate without a client-key; add the key"
        for field, path in (
            ("client-certificate", user.client_certificate),
            ("client-key", user.client_key),
        ):
            if path:
                yield from _unreadable(User, field, path)
    if user.exec is not None:
        yield from ((User, what) for what in _of_plugin(user.exec))
        if user.auth_provider is not None:
            yield User, "it has both exec and auth-provider; remove one of them"
    if (user.as_uid or user.as_groups or user.as_user_extra) and not user.impersonate:
        yield User, "it has as-uid, as-groups or as-user-extra without as; add the name to impersonate"


def _of_plugin(plugin: Plugin) -> Iterator[str]:
    if not plugin.command:
        yield "exec has no command; add it"
    if plugin.api_version not in _PLUGIN_VERSIONS:
        yield f"exec has no apiVersion that is known; write {' or '.join(_PLUGIN_VERSIONS)}"
    if any(not variable.name for variable in plugin.env):
        yield "exec has a variable without a name in env; add it"
    asked = plugin.interactive_mode or ("IfAvailable" if plugin.api_version.endswith("v1beta1") else "")
    if asked == "Always":
        yield "exec has interactiveMode Always, but kstream has no terminal for it; use another way to log in"
    elif asked not in ("Never", "IfAvailable"):
        yield "exec has no interactiveMode that is known; write Never or IfAvailable"


def _unreadable(entry: type, field: str, path: str) -> Iterator[_Wrong]:
    try:
        with open(path, "rb"):
            return
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else "it is no path"
        yield entry, f"{field} {path!r} cannot be read: {cause}; correct it"
