"""The errors of an API server with the real texts (Kubernetes 1.36), and the Status object that carries them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class StatusError(Exception):
    """An answer that is no success: what goes over the wire."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata = metadata
        self.retry_after = retry_after

    def status(self) -> dict[str, Any]:
        body: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": dict(self.metadata or {})}
        body |= {"status": "Failure", "message": self.message}
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = dict(self.details)
        return body | {"code": self.code}

    def body(self) -> bytes:
        return msgspec.json.encode(self.status())

    def line(self) -> bytes:
        """The same as an event of a watch."""
        return msgspec.json.encode({"type": "ERROR", "object": self.status()}) + b"\n"


def unauthorized() -> StatusError:
    return StatusError(401, "Unauthorized", "Unauthorized")


def forbidden(*, user: str, verb: str, resource: str, namespace: str, name: str = "") -> StatusError:
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    subject = f'{resource} "{name}"' if name else resource
    details = {"name": name, "kind": resource} if name else {"kind": resource}
    return StatusError(
        403,
        "Forbidden",
        f'{subject} is forbidden: User "{user}" cannot {verb} resource "{resource}" in API group "" {where}',
        details=details,
    )


def forbidden_path(*, user: str, method: str, path: str) -> StatusError:
    return StatusError(
        403, "Forbidden", f'forbidden: User "{user}" cannot {method.lower()} path "{path}"', details={}
    )


def not_found_path() -> StatusError:
    return StatusError(404, "NotFound", "the server could not find the requested resource", details={})


def not_found(*, resource: str, name: str) -> StatusError:
    return StatusError(
        404, "NotFound", f'{resource} "{name}" not found', details={"name": name, "kind": resource}
    )


def method_not_allowed() -> StatusError:
    text = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", text, details={})


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def invalid_options(*, field: str, message: str) -> StatusError:
    """List options that contradict each other."""
    return StatusError(
        422,
        "Invalid",
        f'ListOptions.meta.k8s.io "" is invalid: {field}: {message}',
        details={
            "group": "meta.k8s.io",
            "kind": "ListOptions",
            "causes": [{"reason": "FieldValueForbidden", "message": message, "field": field}],
        },
    )


def invalid_version(value: str) -> StatusError:
    """A version that is no number. The real server calls this its own fault, without a reason."""
    text = f'resourceVersion: Invalid value: "{value}": strconv.ParseUint: parsing "{value}": invalid syntax'
    return StatusError(500, "", text)


def list_too_old() -> StatusError:
    return StatusError(410, "Expired", "The resourceVersion for the provided list is too old.")


def continue_too_old(token: str) -> StatusError:
    """`token` lets the client read the rest as it is now."""
    return StatusError(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of "
        "the results. Continuing with the provided token results in an inconsistent list - objects that were "
        "created, modified, or deleted between the time the first chunk was returned and now may show up in the "
        "list.",
        metadata={"continue": token},
    )


def watch_too_old(*, version: int, oldest: int) -> StatusError:
    return StatusError(410, "Expired", f"too old resource version: {version} ({oldest})")


def too_large(*, version: int, current: int) -> StatusError:
    return StatusError(
        504,
        "Timeout",
        f"Timeout: Too large resource version: {version}, current: {current}",
        details={
            "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
            "retryAfterSeconds": 1,
        },
        retry_after=1,
    )
