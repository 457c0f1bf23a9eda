"""What is served: the names that Kubernetes has for kstream's three kinds, and the shape of their bookmarks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from kstream.core.timeline.events import Kind


class Resource(NamedTuple):
    """One resource of the core group."""

    kind: Kind
    plural: str  # in paths and in error texts
    singular: str
    name: str  # `kind` in objects
    short: str
    namespaced: bool
    empty: bytes  # what a bookmark has beside metadata: Go's zero value of the kind


_NODE_INFO: Final = (
    b'"machineID":"","systemUUID":"","bootID":"","kernelVersion":"","osImage":"","containerRuntimeVersion":"",'
    b'"kubeletVersion":"","kubeProxyVersion":"","operatingSystem":"","architecture":""'
)

RESOURCES: Final[Mapping[str, Resource]] = {
    resource.plural: resource
    for resource in (
        Resource(
            Kind.NAMESPACE, "namespaces", "namespace", "Namespace", "ns", False, b'"spec":{},"status":{}'
        ),
        Resource(
            Kind.NODE,
            "nodes",
            "node",
            "Node",
            "no",
            False,
            b'"spec":{},"status":{"daemonEndpoints":{"kubeletEndpoint":{"Port":0}},"nodeInfo":{%b}}'
            % _NODE_INFO,
        ),
        Resource(Kind.POD, "pods", "pod", "Pod", "po", True, b'"spec":{"containers":null},"status":{}'),
    )
}
