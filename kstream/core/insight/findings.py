"""What a span of events comes to: findings, the likely causes first, each with the events that show it.

A node that is lost explains what its pods do; a roll-out explains that the pods which it made fail; a namespace that is
deleted explains that its workloads go. What is explained is no finding of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from math import log2
from typing import Any, Final, NamedTuple

from kstream.core.insight.story import NodeStory, Proof, Proofs, Story, WorkloadStory
from kstream.core.timeline.timepoint import timestamp

_TOGETHER: Final = 60.0  # seconds between nodes that are lost by the same cause
_PROOFS: Final = 3  # of a finding
_NAMED: Final = 5  # of many nodes
_AGAIN: Final = 3  # restarts of a pod
_STUCK: Final = ("ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError", "CreateContainerError")
_JOBS: Final = ("Job", "CronJob")


class Finding(NamedTuple):
    """One thing that happened, from its first event on."""

    cause: str  # "node-lost", "failing", …: what kind of thing
    subject: str  # "Deployment shop/cart", "node node-3", "zone zone-b"
    what: str  # in words
    score: float  # higher is more likely what somebody looks for
    proofs: Sequence[Proof]  # in the order of their seq

    def as_json(self) -> dict[str, Any]:
        evidence = [
            {"seq": each.seq, "time": timestamp(each.time), "what": each.what} for each in self.proofs
        ]
        return {"cause": self.cause, "subject": self.subject, "what": self.what, "evidence": evidence}


def findings(story: Story) -> list[Finding]:
    """All of them, the most likely cause first; of equal ones the earliest."""
    found = [*_of_nodes(story), *_of_namespaces(story), *_of_workloads(story)]
    return sorted(found, key=lambda each: (-each.score, each.proofs[0].seq))


def _of_nodes(story: Story) -> Iterator[Finding]:
    nodes = list(story.nodes.values())
    losses = [(proof, node) for node in nodes for proof, cordoned in node.losses if not cordoned]
    for group in _together(losses):
        yield _lost(group, story.zones)
    drained = [node for node in nodes if node.cordoned is not None]
    if drained:
        rebooted = sum(any(cordoned for _, cordoned in node.losses) for node in drained)
        words = f"{_names(drained)} cordoned" + (
            f"; {rebooted} of them restarted meanwhile" if rebooted else ""
        )
        yield Finding(
            "drained",
            _subject(drained),
            words,
            60 + _scale(len(drained)),
            _some(node.cordoned for node in drained),
        )
    pressures = {node.pressure for node in nodes if node.pressed is not None}
    for pressure in sorted(pressures):
        short = [node for node in nodes if node.pressure == pressure]
        evicted = sum(each.evictions.count for each in story.workloads.values())
        words = f"{_names(short)}: {pressure}" + (f"; {evicted} pods were evicted" if evicted else "")
        yield Finding(
            "pressure", _subject(short), words, 76 + _scale(len(short)), _some(node.pressed for node in short)
        )
    removed = [node for node in nodes if node.deleted is not None and not node.losses]
    if removed:
        yield Finding(
            "node-removed",
            _subject(removed),
            f"{_names(removed)} removed",
            42,
            _some(node.deleted for node in removed),
        )
    added = [node for node in nodes if node.added is not None]
    if added:
        yield Finding(
            "node-added", _subject(added), f"{_names(added)} added", 35, _some(node.added for node in added)
        )


def _together(losses: Sequence[tuple[Proof, NodeStory]]) -> Iterator[list[tuple[Proof, NodeStory]]]:
    """Those that were lost one soon after the other."""
    group: list[tuple[Proof, NodeStory]] = []
    for proof, node in sorted(losses, key=lambda each: each[0].seq):
        if group and proof.time - group[-1][0].time > _TOGETHER:
            yield group
            group = []
        group.append((proof, node))
    if group:
        yield group


def _lost(group: Sequence[tuple[Proof, NodeStory]], zones: Mapping[str, set[str]]) -> Finding:
    nodes = list({node.name: node for _, node in group}.values())
    names = {node.name for node in nodes}
    zone = nodes[0].node.zone
    subject, words = _subject(nodes), f"{_names(nodes)} lost: not ready"
    if len(nodes) > 1 and zone and zones[zone] == names:
        subject, words = f"zone {zone}", f"all nodes of {zone} were lost together: {_names(nodes)}"
    ends = [each for node in nodes for each in (node.back, node.deleted) if each is not None]
    if still := sum(node.node.lost and node.deleted is None for node in nodes):
        words += f"; {still} not back"
    elif gone := sum(node.deleted is not None for node in nodes):
        words += f"; {gone} removed later"
    else:
        words += "; back later"
    proofs = _some(chain((proof for proof, _ in group), ends[:1]))
    return Finding("node-lost", subject, words, 86 + _scale(len(nodes)), proofs)


def _of_namespaces(story: Story) -> Iterator[Finding]:
    for namespace in story.namespaces.values():
        subject = f"namespace {namespace.name}"
        proofs = _some((namespace.terminating, namespace.deleted, namespace.added))
        if namespace.terminating or namespace.deleted:
            again = namespace.added is not None and proofs[0] is not namespace.added
            words = "deleted, with all that was in it" if namespace.deleted else "is being deleted"
            yield Finding("namespace-deleted", subject, words + ("; made again" if again else ""), 82, proofs)
        elif namespace.added:
            yield Finding("namespace-added", subject, "made", 30, proofs)


def _of_workloads(story: Story) -> Iterator[Finding]:
    going = {name for name, each in story.namespaces.items() if each.terminating or each.deleted}
    pressed = any(node.pressed is not None for node in story.nodes.values())
    for workload in story.workloads.values():
        if workload.failures:
            yield _failing(workload)
        elif workload.workload.namespace not in going:
            yield from _changed(workload)
        if workload.evictions and not pressed:
            yield _of(workload, "evicted", f"{workload.evictions.count} pods evicted", 66, workload.evictions)


def _failing(story: WorkloadStory) -> Finding:
    reasons = sorted(story.failures.items(), key=lambda each: -each[1].count)
    seen = sum(proofs.count for proofs in story.failures.values())
    first = min((proofs.first[0] for proofs in story.failures.values()), key=lambda each: each.seq)
    pods = f"{len(story.failed)} pod{'s' if len(story.failed) != 1 else ''}"
    words = f"{pods} failing: {', '.join(reason for reason, _ in reasons[:4])}"
    if story.restarts:
        words += f"; restarted {story.restarts.count} times"
    # One that ended and was started again is everyday; one that goes on, or all of them at once, is not.
    again = sum(restarts >= _AGAIN for restarts in story.failed.values()) / len(story.failed)
    goes_on = 1.0 if any(reason in _STUCK for reason in story.failures) else again
    score = 42 + 20 * story.worst + 14 * goes_on + min(10.0, log2(seen)) + _scale(len(story.failed)) / 4
    proofs = [proofs.first[0] for _, proofs in reasons]
    rollout = _rollout_before(story, first)
    if rollout is not None:
        words = f"rolled out {rollout[0]}, and {words}"
        proofs.insert(0, rollout[1])
        score += 6
    cause = "rollout-failing" if rollout is not None else "failing"
    return Finding(cause, str(story.workload), words, score, _some(proofs))


def _rollout_before(story: WorkloadStory, first: Proof) -> tuple[str, Proof] | None:
    """The newest images that came before the pods began to fail."""
    made = [
        (image, proof) for image, proof in story.images[1:] if proof is not None and proof.seq <= first.seq
    ]
    return made[-1] if made else None


def _changed(story: WorkloadStory) -> Iterator[Finding]:
    """A workload that is none the worse: it was rolled out, scaled, made or removed."""
    workload = story.workload
    images = [(image, proof) for image, proof in story.images[1:] if proof is not None]
    if workload.kind in _JOBS or workload.kind == "Pod":
        if story.added:
            yield _of(story, "ran", f"{story.added.count} pods made", 12, story.added)
        return
    if images:
        before = story.images[0][0]
        words = f"rolled out {' → '.join([before, *(image for image, _ in images[-3:])])}"
        yield Finding("rollout", str(workload), words, 58, _some(proof for _, proof in images))
    swing = max(story.most - story.began, story.began - story.least)
    if not story.began and story.added:
        yield _of(story, "added", f"made, with {story.alive} pods now", 40, story.added)
    elif story.began and not story.alive and story.removed:
        yield _of(story, "removed", f"all of its {story.began} pods are gone", 56, story.removed)
    elif swing > max(1, story.began / 4) and (story.alive != story.began or swing >= story.began):
        # What went and came again was moved, or replaced one by one.
        peak = story.most if story.most - story.began >= story.began - story.least else story.least
        way = " → ".join(str(each) for each in dict.fromkeys((story.began, peak, story.alive)))
        words = f"scaled {way} pods"
        if story.waits.count > 1:
            words += f"; {story.waits.count} of its pods waited for a node"
        proofs = story.added if peak > story.began else story.removed
        yield _of(story, "scaled", words, 50 + min(25.0, 5 * log2(swing)), proofs)


def _of(story: WorkloadStory, cause: str, words: str, score: float, proofs: Proofs) -> Finding:
    return Finding(cause, str(story.workload), words, score, _some(chain(proofs.first, [proofs.last])))


def _scale(number: int) -> float:
    return min(12.0, 2 * log2(number))


def _subject(nodes: Sequence[NodeStory]) -> str:
    return f"node {nodes[0].name}" if len(nodes) == 1 else f"{len(nodes)} nodes"


def _names(nodes: Sequence[NodeStory]) -> str:
    names = sorted(node.name for node in nodes)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _some(proofs: Any) -> list[Proof]:
    """The first of them, in the order of their seq; where there are more, the last one too."""
    given = sorted(
        {each.seq: each for each in proofs if each is not None}.values(), key=lambda each: each.seq
    )
    return given if len(given) <= _PROOFS else [*given[: _PROOFS - 1], given[-1]]
