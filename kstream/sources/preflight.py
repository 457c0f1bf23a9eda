"""What stands between kstream and a cluster, looked at before a start (`kstream check`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from kstream.core.errors import ConfigError, ForbiddenError, MalformedError, UnreachableError
from kstream.core.kube.resources import decode_status
from kstream.core.timeline.events import Kind
from kstream.core.timeline.health import ClusterInfo
from kstream.core.watching.reflection import Stream
from kstream.ports import Clock
from kstream.sources.apiserver import FAILURES, ApiServer
from kstream.sources.identity import UnidentifiedError, ask_for, identify, whole
from kstream.sources.kubeconfig import KubeSettings, config_paths
from kstream.sources.watch import within

_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_WITHIN: Final = 30.0  # seconds for each question
_VERBS: Final = ("list", "watch")


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str  # "kubeconfig", "cluster", "watch pods in namespace 'shop'"
    ok: bool
    cause: str  # what was found, good or bad
    remedy: str = ""  # what to do, if it is bad
    exit_code: int = 0  # of the error that it would be, 0 if it is good


class _Review(msgspec.Struct):
    class Status(msgspec.Struct):
        allowed: bool = False
        reason: str = ""

    status: Status = msgspec.field(default_factory=Status)


async def preflight(
    settings: KubeSettings, clock: Clock, *, met: Callable[[ClusterInfo], None] = lambda _: None
) -> list[Finding]:
    """Kubeconfig, then the cluster, then each permission; what depends on something that failed is left out.

    `met` is told which cluster it is, once it has answered.
    """
    api = ApiServer(settings, clock)
    try:
        findings = await _look(api, clock, met)
        return [finding._replace(cause=api.redacted(finding.cause)) for finding in findings]
    finally:
        await api.close()


async def _look(api: ApiServer, clock: Clock, met: Callable[[ClusterInfo], None]) -> list[Finding]:
    where = (
        ", ".join(map(str, await asyncio.to_thread(config_paths, api.settings)))
        or "the service account of this pod"
    )
    try:
        await api.connect()
    except ConfigError as error:
        remedy = "Set --kubeconfig or KUBECONFIG, or --context; `kubectl config view` shows what there is"
        return [Finding("kubeconfig", False, str(error), remedy, ConfigError.exit_code)]
    findings = [Finding("kubeconfig", True, f"{where}: {api.credentials.cluster} at {api.credentials.host}")]
    try:
        identity = await identify(api, clock)
    except UnidentifiedError as error:
        code = ForbiddenError.exit_code if error.status == 401 else UnreachableError.exit_code
        remedy = (
            "See whether `kubectl version` reaches it; check address, network, certificate and credentials"
        )
        return [*findings, Finding("cluster", False, str(error), remedy, code)]
    met(identity.cluster)
    findings.append(Finding("cluster", True, f"Kubernetes {identity.cluster.version}"))
    absent = [await _absent(api, clock, name) for name in api.settings.namespaces]
    findings += [finding for finding in absent if finding is not None]
    asked = [(verb, stream) for stream in _streams(api.settings) for verb in _VERBS]
    return [*findings, *[await _permission(api, clock, verb, stream) for verb, stream in asked]]


def _streams(settings: KubeSettings) -> list[Stream]:
    pods = [Stream(Kind.POD, namespace) for namespace in settings.namespaces] or [Stream(Kind.POD)]
    return [Stream(Kind.NODE), Stream(Kind.NAMESPACE), *pods]


async def _absent(api: ApiServer, clock: Clock, name: str) -> Finding | None:
    """None where it is there, and where nobody may know."""
    what = f"namespace '{name}'"
    try:
        status, _ = await ask_for(api, clock, f"/api/v1/namespaces/{name}")
    except UnidentifiedError as error:
        return Finding(
            what, False, str(error), "Try again when the cluster answers", UnreachableError.exit_code
        )
    if status != 404:
        return None
    remedy = "Create it, or correct --namespace; `kubectl get namespaces` lists what there is"
    return Finding(what, False, "There is none of that name in the cluster", remedy, ConfigError.exit_code)


async def _permission(api: ApiServer, clock: Clock, verb: str, stream: Stream) -> Finding:
    where = f" in namespace '{stream.namespace}'" if stream.namespace else ""
    what = f"{verb} {stream.resource}{where}"
    attributes = {"verb": verb, "resource": stream.resource}
    if stream.namespace:
        attributes["namespace"] = stream.namespace
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    try:
        status, body = await within(clock, _WITHIN, _post(api, review))
    except FAILURES as error:  # a time-out, too
        cause = f"It could not be asked: {str(error) or type(error).__name__}"
        return Finding(what, False, cause, "Try again when the cluster answers", UnreachableError.exit_code)
    if status != 201:
        said = decode_status(body)
        if said is None or status not in (401, 403):
            cause = f"It could not be asked: {status} {said.message if said is not None else ''}".rstrip()
            remedy = (
                "See whether `kubectl auth can-i list pods` works: perhaps this is a part of a Kubernetes API"
            )
            return Finding(what, False, cause, remedy, UnreachableError.exit_code)
        cause = f"It could not be asked: {status} {said.message}".rstrip()
        remedy = (
            "Allow creating selfsubjectaccessreviews (system:basic-user), or see what `kstream serve` reports"
        )
        return Finding(what, False, cause, remedy, ForbiddenError.exit_code)
    try:
        allowed = read_review(body)
    except MalformedError as error:
        remedy = "Look for a proxy in between"
        return Finding(what, False, f"The answer cannot be read: {error}", remedy, MalformedError.exit_code)
    if allowed:
        return Finding(what, True, "allowed")
    return Finding(
        what,
        False,
        f"Missing '{verb}' permission on '{stream.resource}'{where}",
        _remedy(stream),
        ForbiddenError.exit_code,
    )


def read_review(body: bytes) -> bool:
    """Whether it is allowed. Raises MalformedError for what is no answer to a SelfSubjectAccessReview."""
    try:
        return msgspec.json.decode(body, type=_Review).status.allowed
    except RecursionError as error:
        raise MalformedError("JSON is nested too deeply") from error
    except ValueError as error:
        raise MalformedError(str(error)) from error


def _remedy(stream: Stream) -> str:
    if stream.kind is Kind.POD and not stream.namespace:
        return (
            "Bind a ClusterRole with list and watch on pods, or name the namespaces that are allowed with -n"
        )
    role = "Role" if stream.namespace else "ClusterRole"
    return f"Bind a {role} with list and watch on {stream.resource}; without it, the rest is served"


async def _post(api: ApiServer, review: dict[str, Any]) -> tuple[int, bytes]:
    async with await api.ask("POST", _REVIEWS, body=review) as response:
        return response.status, await whole(response, _REVIEWS)
