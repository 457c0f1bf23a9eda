"""Who may do what: bearer tokens, the roles they carry, and the reviews that tell. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from kstream.core.errors import ConfigError
from simulator.apiserver import protobuf, statuses
from simulator.apiserver.kinds import RESOURCES

_READ: Final = frozenset({"get", "list", "watch"})
ANONYMOUS: Final = "system:anonymous"


class Role(NamedTuple):
    """A permission: all of `verbs` on all of `resources`, everywhere or in one namespace."""

    verbs: frozenset[str]
    resources: frozenset[str]
    namespace: str = ""

    def allows(self, *, verb: str, resource: str, namespace: str) -> bool:
        # A role of a namespace reaches what is in it, never the whole cluster and never nodes.
        inside = not self.namespace or (self.namespace == namespace and resource != "nodes")
        return inside and bool(self.verbs & {verb, "*"}) and bool(self.resources & {resource, "*"})


class Access:
    """The tokens that are known. Without any token, everyone may read everything."""

    def __init__(self, roles: Mapping[str, Sequence[Role]] | None = None) -> None:
        self._roles = dict(roles or {})
        self._expired: set[str] = set()

    @property
    def users(self) -> Sequence[str]:
        """The users, each of whom has its name as token, in the order they were given."""
        return list(self._roles)

    def user(self, authorization: str, *, certified: str = "") -> str | None:
        """Who sends this Authorization header, or shows a certificate of ours; None: nobody we know (401)."""
        if not self._roles:
            return ANONYMOUS
        if certified and not authorization:
            return certified if certified in self._roles else None
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or token not in self._roles or token in self._expired:
            return None
        return token

    def allows(self, user: str, *, verb: str, resource: str, namespace: str) -> bool:
        if not self._roles:
            return verb in _READ
        granted = self._roles.get(user, ())
        return any(role.allows(verb=verb, resource=resource, namespace=namespace) for role in granted)

    def grant(self, user: str, roles: Sequence[Role]) -> None:
        """Give a user these roles in place of those it had."""
        self._roles[user] = roles

    def expire(self, token: str) -> None:
        """From now on the token is unknown, until it is renewed."""
        self._expired.add(token)

    def renew(self, token: str) -> None:
        self._expired.discard(token)

    def roles(self, user: str) -> Sequence[Role]:
        return self._roles.get(user, ()) if self._roles else (_parse("view"),)


def parse_tokens(texts: Sequence[str]) -> Access:
    """`NAME=ROLE[,ROLE]…` each; the name is the token too. A role is

    - `view`, `view@NAMESPACE`: get, list and watch of everything, or of what is in a namespace
    - `VERBS:RESOURCES[@NAMESPACE]`: `list+watch:pods@shop`; `*` is all
    - `none`: known, and allowed nothing

    Raises ConfigError.
    """
    roles: dict[str, Sequence[Role]] = {}
    for text in texts:
        name, found, given = text.partition("=")
        if not name or not found:
            raise ConfigError(
                f"--token {text}: there is no name or no role in it; write NAME=ROLE, as viewer=view"
            )
        roles[name] = [_parse(role.strip()) for role in given.split(",") if role.strip() not in ("none", "")]
    return Access(roles)


def read_review(content: bytes, media: str) -> Mapping[str, Any]:
    """The body of a review, in JSON or protobuf. Raises StatusError (400)."""
    if media == protobuf.MEDIA:
        return protobuf.read_review(content)
    try:
        body = msgspec.json.decode(content)
    except RecursionError:
        raise statuses.bad_request("the body is no JSON that can be read: it is nested too deeply") from None
    except ValueError as error:
        raise statuses.bad_request(f"the body is no JSON: {error}") from None
    spec = _object(_object(body, "the body").get("spec"), "spec")
    _text(spec, "spec.namespace")
    _object(spec.get("nonResourceAttributes"), "spec.nonResourceAttributes")
    asked = _object(spec.get("resourceAttributes"), "spec.resourceAttributes")
    for name in ("namespace", "verb", "group", "resource"):
        _text(asked, f"spec.resourceAttributes.{name}")
    return _object(body, "the body")


def _object(value: object, what: str) -> Mapping[str, Any]:
    """null is the same as not there, as in Go."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise statuses.bad_request(f"{what} is no object")
    return value


def _text(holder: Mapping[str, Any], path: str) -> None:
    if not isinstance(holder.get(path.rpartition(".")[2], ""), str | None):
        raise statuses.bad_request(f"{path} is no string")


def review(access: Access, user: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a SelfSubjectAccessReview: the same with its status."""
    spec = body.get("spec") or {}
    asked = spec.get("resourceAttributes") or {}
    allowed = bool(spec.get("nonResourceAttributes")) or (
        not asked.get("group")
        and access.allows(
            user,
            verb=asked.get("verb") or "",
            resource=asked.get("resource") or "",
            namespace=asked.get("namespace") or "",
        )
    )
    return {
        "kind": "SelfSubjectAccessReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": spec,
        "status": {"allowed": allowed},
    }


def rules(access: Access, user: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a SelfSubjectRulesReview (`kubectl auth can-i --list`)."""
    spec = body.get("spec") or {}
    granted = [role for role in access.roles(user) if role.namespace in ("", spec.get("namespace"))]
    return {
        "kind": "SelfSubjectRulesReview",
        "apiVersion": "authorization.k8s.io/v1",
        "metadata": {},
        "spec": spec,
        "status": {
            "resourceRules": [
                {"verbs": sorted(role.verbs), "apiGroups": [""], "resources": sorted(role.resources)}
                for role in granted
            ],
            "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["*"]}],
            "incomplete": False,
        },
    }


def _parse(text: str) -> Role:
    what, _, namespace = text.partition("@")
    if what == "view":
        return Role(_READ, frozenset({"*"}), namespace)
    verbs, found, resources = what.partition(":")
    role = Role(frozenset(verbs.split("+")), frozenset(resources.split("+")), namespace)
    if not found or not role.verbs <= _READ | {"*"} or not role.resources <= RESOURCES.keys() | {"*"}:
        raise ConfigError(
            f"role {text}: not a role; use view, view@NAMESPACE, none, or VERBS:RESOURCES[@NAMESPACE] "
            f"with verbs of {', '.join(sorted(_READ))} and resources of {', '.join(RESOURCES)}"
        )
    return role
