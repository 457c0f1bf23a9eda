"""What a client reads first: version, groups, resources. Pure; the shapes are those of Kubernetes 1.36."""

from __future__ import annotations

from typing import Any, Final

from simulator.apiserver.kinds import RESOURCES

_AUTHORIZATION: Final = "authorization.k8s.io"
REVIEWS: Final = {
    "selfsubjectaccessreviews": "SelfSubjectAccessReview",
    "selfsubjectrulesreviews": "SelfSubjectRulesReview",
}
HEALTH: Final = frozenset({"/healthz", "/livez", "/readyz"})


def version(git_version: str) -> dict[str, Any]:
    """/version; `git_version` as "v1.36.0"."""
    major, minor = git_version.lstrip("v").split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "gitVersion": git_version,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def document(path: str, *, git_version: str, address: str) -> dict[str, Any] | None:
    """The answer to a discovery path; None if it is none. `address` is "HOST:PORT"."""
    match path.rstrip("/"):
        case "/version":
            return version(git_version)
        case "/api":
            return {
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
            }
        case "/apis":
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group()]}
        case "/apis/authorization.k8s.io":
            return {"kind": "APIGroup", "apiVersion": "v1", **_group()}
        case "/apis/authorization.k8s.io/v1":
            return _resources(f"{_AUTHORIZATION}/v1", [_review(name, kind) for name, kind in REVIEWS.items()])
        case "/api/v1":
            return _resources("v1", [_resource(plural) for plural in RESOURCES])
    return None


def paths() -> dict[str, Any]:
    """The root: what there is."""
    known = ["/api", "/api/v1", "/apis", f"/apis/{_AUTHORIZATION}", f"/apis/{_AUTHORIZATION}/v1", "/version"]
    return {"paths": sorted([*known, *HEALTH])}


def _group() -> dict[str, Any]:
    served = {"groupVersion": f"{_AUTHORIZATION}/v1", "version": "v1"}
    return {"name": _AUTHORIZATION, "versions": [served], "preferredVersion": served}


def _resources(group_version: str, resources: list[dict[str, Any]]) -> dict[str, Any]:
    first = (
        {"kind": "APIResourceList"}
        if group_version == "v1"
        else {"kind": "APIResourceList", "apiVersion": "v1"}
    )
    return {**first, "groupVersion": group_version, "resources": resources}


def _resource(plural: str) -> dict[str, Any]:
    resource = RESOURCES[plural]
    return {
        "name": plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.name,
        "verbs": ["get", "list", "watch"],
        "shortNames": [resource.short],
        **({"categories": ["all"]} if plural == "pods" else {}),
    }


def _review(name: str, kind: str) -> dict[str, Any]:
    return {
        "name": name,
        "singularName": kind.lower(),
        "namespaced": False,
        "kind": kind,
        "verbs": ["create"],
    }
