"""The STATUS column of `kubectl get pods`, to the letter (PROTOCOL 10).

The rules are those of the API server's own table printer in Kubernetes 1.36, which is what kubectl shows; every
version of every pod of a recorded incident is checked against the server's text. docs/resources.md states them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from kstream.core.kube.objects import Container, Pod, PodCondition, PodStatus, Terminated

_NO_STATUS: Final = PodStatus()
_TERMINAL: Final = frozenset({"Failed", "Succeeded"})
_GATED: Final = b'"SchedulingGated"'
_NODE_LOST: Final = "NodeLost"  # the reason that the node controller writes on the pods of a dead node


def is_sidecar(container: Container) -> bool:
    """An init container that keeps running beside the main ones; kubectl's READY column counts it."""
    return container.restart_policy == "Always"


def pod_status(pod: Pod) -> str:
    """What kubectl prints. Not the phase: that says nothing of crash loops, pulls, init or deletion.

    Raises msgspec.ValidationError if it needs the conditions and they are not what they should be.
    """
    status = pod.status or _NO_STATUS
    text = status.reason or status.phase or ""
    if _GATED in bytes(status.conditions) and _is_gated(status):
        text = "SchedulingGated"
    if not status.init_container_statuses:
        text = _main_text(status, text)
    else:
        initializing = _init_text(pod, status)
        if initializing is None:
            text = _main_text(status, text)
        else:
            text = _main_text(status, initializing) if _is_true(status, "Initialized") else initializing
    if pod.metadata is not None and pod.metadata.deletion_timestamp is not None:
        if status.reason == _NODE_LOST:
            return "Unknown"
        if status.phase not in _TERMINAL:
            return "Terminating"
    return text


def _init_text(pod: Pod, status: PodStatus) -> str | None:
    """What the first init container that is not through with its work says; None when all of them are."""
    containers = (pod.spec.init_containers if pod.spec is not None else None) or ()
    sidecars = {container.name for container in containers if is_sidecar(container)}
    for number, container in enumerate(status.init_container_statuses or ()):
        state = container.state
        terminated = state.terminated if state is not None else None
        if terminated is not None and not terminated.exit_code:
            continue
        if container.started and container.name in sidecars:
            continue
        if terminated is not None:
            return f"Init:{_end(terminated)}"
        reason = state.waiting.reason if state is not None and state.waiting is not None else None
        if reason and reason != "PodInitializing":
            return f"Init:{reason}"
        return f"Init:{number}/{len(containers)}"
    return None


def _main_text(status: PodStatus, text: str) -> str:
    """What the main containers say: the first that waits or has ended counts, except that "Completed" gives way.

    A container that completed hides neither one that failed nor, in a pod that is ready, one that runs.
    """
    running = False
    failure = ""
    for container in reversed(status.container_statuses or ()):
        state = container.state
        if state is None:
            continue
        if state.waiting is not None and state.waiting.reason:
            text = state.waiting.reason
        elif state.terminated is not None:
            text = _end(state.terminated)
            if state.terminated.exit_code:
                failure = text
        elif container.ready and state.running is not None:
            running = True
    if text != "Completed":
        return text
    if running and _is_true(status, "Ready"):
        return "Running"
    return failure or ("NotReady" if running else text)


def _end(terminated: Terminated) -> str:
    """Why a container ended, in the words of the runtime if it has any."""
    if terminated.reason:
        return terminated.reason
    if terminated.signal:
        return f"Signal:{terminated.signal}"
    return f"ExitCode:{terminated.exit_code or 0}"


def _is_true(status: PodStatus, name: str) -> bool:
    return any(each.type == name and each.status == "True" for each in _conditions(status))


def _is_gated(status: PodStatus) -> bool:
    return any(
        each.type == "PodScheduled" and each.reason == "SchedulingGated" for each in _conditions(status)
    )


def _conditions(status: PodStatus) -> Sequence[PodCondition]:
    return _decode_conditions(status.conditions) or ()


_decode_conditions: Final = msgspec.json.Decoder(list[PodCondition] | None).decode
