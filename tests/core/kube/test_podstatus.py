"""core.kube.podstatus: each rule of the STATUS column, above all those that the recorded incident does not show."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kstream.core.kube.objects import Pod
from kstream.core.kube.podstatus import pod_status

Json = dict[str, Any]


def status_of(pod: Json) -> str:
    return pod_status(msgspec.json.decode(msgspec.json.encode(pod), type=Pod))


def waiting(reason: str = "") -> Json:
    return {"state": {"waiting": {"reason": reason} if reason else {}}}


def running(*, ready: bool = True, started: bool = True) -> Json:
    return {"ready": ready, "started": started, "state": {"running": {"startedAt": "2025-01-24T10:00:00Z"}}}


def ended(code: int, reason: str = "", signal: int = 0) -> Json:
    terminated: Json = {"exitCode": code}
    if reason:
        terminated["reason"] = reason
    if signal:
        terminated["signal"] = signal
    return {"state": {"terminated": terminated}}


def pod(
    *main: Json,
    phase: str = "Running",
    reason: str = "",
    init: tuple[Json, ...] = (),
    sidecars: tuple[int, ...] = (),
    conditions: Json | None = None,
    gated: bool = False,
    deleted: bool = False,
) -> Json:
    """A pod with the given container statuses; `sidecars` are the numbers of the restartable init containers."""
    metadata: Json = {"name": "web", "uid": "1"}
    if deleted:
        metadata["deletionTimestamp"] = "2025-01-24T10:00:00Z"
    status: Json = {"phase": phase}
    if reason:
        status["reason"] = reason
    status["conditions"] = [{"type": name, "status": value} for name, value in (conditions or {}).items()]
    if gated:
        status["conditions"].append({"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"})
    if main:
        status["containerStatuses"] = [{"name": f"main-{i}"} | each for i, each in enumerate(main)]
    if init:
        status["initContainerStatuses"] = [{"name": f"init-{i}"} | each for i, each in enumerate(init)]
    spec = {
        "containers": [{"name": f"main-{i}"} for i in range(max(len(main), 1))],
        "initContainers": [
            {"name": f"init-{i}"} | ({"restartPolicy": "Always"} if i in sidecars else {})
            for i in range(len(init))
        ],
    }
    return {"metadata": metadata, "spec": spec, "status": status}


DONE = ended(0, "Completed")
INITIALIZING = waiting("PodInitializing")


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        # nothing is known of containers: the pod's own reason, else its phase
        ("Pending", pod(phase="Pending")),
        ("Evicted", pod(phase="Failed", reason="Evicted")),
        ("Failed", pod(phase="Failed")),
        ("NodeAffinity", pod(phase="Failed", reason="NodeAffinity")),
        ("Unknown", pod(phase="Unknown")),
        ("SchedulingGated", pod(phase="Pending", gated=True)),
        # main containers
        ("Running", pod(running())),
        ("Running", pod(running(ready=False))),
        ("ContainerCreating", pod(waiting("ContainerCreating"), phase="Pending")),
        ("PodInitializing", pod(INITIALIZING, phase="Pending", init=(DONE,))),
        ("ImagePullBackOff", pod(waiting("ImagePullBackOff"), phase="Pending")),
        ("CrashLoopBackOff", pod(waiting("CrashLoopBackOff"))),
        ("Running", pod(waiting(), phase="Running")),
        ("OOMKilled", pod(ended(137, "OOMKilled"))),
        ("Error", pod(ended(1, "Error"), phase="Failed")),
        ("Signal:9", pod(ended(137, signal=9))),
        ("ExitCode:3", pod(ended(3))),
        ("ExitCode:0", pod(ended(0), phase="Succeeded")),
        ("Completed", pod(DONE, phase="Succeeded")),
        ("Evicted", pod(phase="Failed", reason="Evicted", conditions={"Ready": "False"})),
        ("Error", pod(ended(137, "Error"), phase="Failed", reason="Evicted")),
        # several: the first that waits or ended counts
        ("CrashLoopBackOff", pod(waiting("CrashLoopBackOff"), ended(1, "Error"))),
        ("Error", pod(running(), ended(1, "Error"))),
        ("ContainerCreating", pod(running(), waiting("ContainerCreating"))),
        # … except that Completed hides neither a failure nor one that runs
        ("NotReady", pod(DONE, running(), conditions={"Ready": "False"})),
        ("NotReady", pod(running(), DONE)),
        ("Running", pod(DONE, running(), conditions={"Ready": "True"})),
        ("Running", pod(running(), DONE, conditions={"Ready": "True"})),
        ("Completed", pod(DONE, running(ready=False))),
        ("Completed", pod(DONE, DONE, phase="Succeeded")),
        ("Error", pod(DONE, ended(1, "Error"), phase="Failed")),
        ("ExitCode:2", pod(DONE, ended(2), phase="Failed")),
        ("Error", pod(DONE, running(), ended(1, "Error"))),
        ("Running", pod(DONE, running(), ended(1, "Error"), conditions={"Ready": "True"})),
        # init containers, one after the other
        ("Init:0/2", pod(INITIALIZING, phase="Pending", init=(running(), INITIALIZING))),
        ("Init:0/2", pod(INITIALIZING, phase="Pending", init=(INITIALIZING, INITIALIZING))),
        ("Init:1/2", pod(INITIALIZING, phase="Pending", init=(DONE, running()))),
        ("Init:1/2", pod(INITIALIZING, phase="Pending", init=(ended(0), waiting()))),
        ("Init:Error", pod(INITIALIZING, phase="Pending", init=(ended(1, "Error"), INITIALIZING))),
        ("Init:CrashLoopBackOff", pod(INITIALIZING, phase="Pending", init=(waiting("CrashLoopBackOff"),))),
        ("Init:ImagePullBackOff", pod(INITIALIZING, init=(DONE, waiting("ImagePullBackOff")))),
        ("Init:OOMKilled", pod(INITIALIZING, init=(ended(137, "OOMKilled"),))),
        ("Init:ExitCode:4", pod(INITIALIZING, phase="Pending", init=(ended(4),))),
        ("Init:Signal:15", pod(INITIALIZING, phase="Pending", init=(ended(143, signal=15),))),
        ("Running", pod(running(), init=(DONE, DONE))),
        ("Running", pod(running(), init=({"state": {"terminated": {}}},))),
        # an init container that runs again in an initialized pod does not hide the main ones
        ("Init:0/1", pod(running(), init=(running(),), conditions={"Initialized": "False"})),
        (
            "CrashLoopBackOff",
            pod(waiting("CrashLoopBackOff"), init=(running(),), conditions={"Initialized": "True"}),
        ),
        ("Init:0/1", pod(running(), init=(running(),), conditions={"Initialized": "True"})),
        # sidecars: done once they have started
        ("Init:0/2", pod(INITIALIZING, init=(running(started=False), INITIALIZING), sidecars=(0,))),
        ("Init:1/2", pod(INITIALIZING, init=(running(), running()), sidecars=(0,))),
        ("PodInitializing", pod(INITIALIZING, init=(running(ready=False), DONE), sidecars=(0,))),
        ("Running", pod(running(), init=(running(),), sidecars=(0,))),
        ("Init:CrashLoopBackOff", pod(INITIALIZING, init=(waiting("CrashLoopBackOff"),), sidecars=(0,))),
        ("Completed", pod(DONE, phase="Succeeded", init=(DONE,), sidecars=(0,))),
        # deletion comes last, unless the pod is through
        ("Terminating", pod(running(), deleted=True)),
        ("Terminating", pod(phase="Pending", deleted=True, gated=True)),
        ("Terminating", pod(INITIALIZING, phase="Pending", init=(running(),), deleted=True)),
        ("Completed", pod(DONE, phase="Succeeded", deleted=True)),
        ("Error", pod(ended(1, "Error"), phase="Failed", deleted=True)),
        ("Unknown", pod(running(), reason="NodeLost", deleted=True)),
        ("Unknown", pod(ended(1, "Error"), phase="Failed", reason="NodeLost", deleted=True)),
        ("NodeLost", pod(phase="Running", reason="NodeLost")),
        # as little as there can be
        ("", {}),
        ("", {"metadata": None, "spec": None, "status": None}),
        (
            "Pending",
            {"status": {"phase": "Pending", "containerStatuses": [{}], "initContainerStatuses": None}},
        ),
    ],
)
def test_status_is_what_kubectl_prints(expected: str, given: Json) -> None:
    assert status_of(given) == expected


def test_a_pod_is_gated_by_the_reason_for_which_it_is_not_scheduled_and_by_nothing_else() -> None:
    gated = pod(phase="Pending", conditions={"Ready": "False", "Initialized": "False"}, gated=True)
    assert status_of(gated) == "SchedulingGated"
    for other in (
        {"type": "Ready", "status": "False", "reason": "SchedulingGated"},
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "no SchedulingGated",
        },
    ):
        told = pod(phase="Pending")
        told["status"]["conditions"].append(other)
        assert status_of(told) == "Pending"


def test_a_container_of_which_nothing_is_known_hides_no_other() -> None:
    assert status_of(pod(waiting("CrashLoopBackOff"), {}, running())) == "CrashLoopBackOff"
    assert status_of(pod({}, ended(1, "Error"))) == "Error"
