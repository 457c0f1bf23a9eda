"""Which cluster: the options of the commands that talk to one, and the source made of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kstream.config import env_option
from kstream.core.naming import namespace_names
from kstream.ports import Clock
from kstream.sources.apiserver import ApiServer
from kstream.sources.kube import KubeSource
from kstream.sources.kubeconfig import KubeSettings

_STREAMS = 1000  # that are told of one by one: with RBAC by namespace there may be thousands
F = TypeVar("F", bound=Callable[..., Any])

CLUSTER_OPTIONS = (
    env_option(
        "--kubeconfig",
        metavar="FILE",
        help="The kubeconfig file.  [default: those of $KUBECONFIG, ~/.kube/config, the cluster that it runs in]",
    ),
    env_option("--context", help="The context of the kubeconfig.  [default: its current one]"),
    env_option(
        "-n",
        "--namespace",
        multiple=True,
        help="Watch the pods of this namespace only. Repeatable, or several joined by commas.  [default: all "
        "namespaces]",
    ),
)


def cluster_options(command: F) -> F:
    """The options that name a cluster; they arrive as keyword arguments for `kube_settings`."""
    for option in reversed(CLUSTER_OPTIONS):
        command = option(command)
    return command


def kube_settings(options: dict[str, Any]) -> KubeSettings:
    """Take the cluster's options out of a command's keyword arguments. Raises UsageError."""
    return KubeSettings(
        kubeconfig=options.pop("kubeconfig"),
        context=options.pop("context"),
        namespaces=namespace_names(options.pop("namespace")),
    )


def kube_source(options: dict[str, Any], clock: Clock) -> KubeSource:
    return KubeSource(ApiServer(kube_settings(options), clock), clock=clock, rng=random.Random())


async def stream_status(source: KubeSource) -> Mapping[str, Any]:
    """What /api/status says of each watch: how fresh it is, in seconds, and what became of it; of those past the first
    thousand, how many there are in each state."""
    streams = source.streams
    said = {"streams": [stream._asdict() for stream in streams[:_STREAMS]]}
    left_out = Counter(f"{stream.stream.partition('/')[0]} {stream.state}" for stream in streams[_STREAMS:])
    return said | ({"streams_left_out": left_out} if left_out else {})
