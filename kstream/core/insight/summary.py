"""What a state comes to: how much there is, and what of it is bad, the worst first."""

from __future__ import annotations

from typing import Any, NamedTuple

from kstream.core.insight.subjects import Workload, decode_node, decode_pod, node_badness, workload_of
from kstream.core.timeline.events import Kind
from kstream.core.timeline.state import ClusterState
from kstream.core.timeline.wellness import Badness, badness


class Trouble(NamedTuple):
    """A node, or the pods of a workload with one status."""

    badness: Badness
    subject: str
    status: str
    number: int  # of pods; 1 for a node
    example: str  # the uid of one of them

    def as_json(self) -> dict[str, Any]:
        return {
            "badness": self.badness.name.lower(),
            "subject": self.subject,
            "status": self.status,
            "number": self.number,
            "example": self.example,
        }


def counts(state: ClusterState) -> dict[str, int]:
    """As clients are told in `metrics`, and the namespaces."""
    return {**state.counts()._asdict(), "totalNamespaces": sum(1 for _ in state.entries(Kind.NAMESPACE))}


def troubles(state: ClusterState) -> list[Trouble]:
    """The worst first: nodes before the pods that are on them, many pods before few."""
    found = []
    for entry in state.entries(Kind.NODE):
        node = decode_node(entry.body)
        if (judged := node_badness(node)) > Badness.NONE:
            status = ", ".join([node.status, *node.pressures])
            found.append(Trouble(judged, f"node {entry.key.name}", status, 1, entry.key.uid))
    pods: dict[tuple[Badness, Workload, str], list[Any]] = {}
    for entry in state.entries(Kind.POD):
        pod = decode_pod(entry.body)
        if (judged := badness(pod.status)) > Badness.NONE:
            about = judged, workload_of(entry.key, pod), pod.status
            pods.setdefault(about, [0, entry.key.uid])[0] += 1
    found += [
        Trouble(judged, str(workload), status, number, example)
        for (judged, workload, status), (number, example) in pods.items()
    ]
    return sorted(
        found,
        key=lambda each: (-each.badness, not each.subject.startswith("node "), -each.number, each.subject),
    )
