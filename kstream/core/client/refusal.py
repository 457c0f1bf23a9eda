"""What a server's answer to a handshake means to whoever asked. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from kstream.core.errors import ConfigError, ForbiddenError, KstreamError, UnreachableError

_PATIENCE: Final = 300.0  # seconds: a server that asks for more is not believed


class NotNowError(UnreachableError):
    """The server answered and cannot take us now; it may have said when to come back."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def refusal(url: str, status: int, said: str, wait: str) -> KstreamError:
    """The error for an HTTP status; `said` is the server's own reason, `wait` its Retry-After, or ""."""
    cause = f"HTTP {status}{f': {said}' if said else ''}"
    if status in (401, 403):
        return ForbiddenError(
            f"{url} refuses this client: {cause}. Start the server with --allow-host or --allow-origin for it"
        )
    if status in (408, 425, 429) or status >= 500:
        return NotNowError(f"{url} takes no client now: {cause}. Try again later", _seconds(wait))
    if status == 400:
        return ConfigError(f"{url} does not accept the request: {cause}. Correct the filter or the URL")
    return ConfigError(f"{url} is no kstream server: it answers {cause}. Correct the URL; the path is /ws")


def reason(body: bytes) -> str:
    """What a server says about its refusal (PROTOCOL 14); "" for a body that no kstream server sends."""
    try:
        error = msgspec.json.decode(body)["error"]
        message, details = error["message"], error.get("details")
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return ""
    if not isinstance(message, str):
        return ""
    return f"{message} ({details})" if isinstance(details, str) and details else message


def _seconds(header: str) -> float:
    """Retry-After, in its form that kstream sends; 0.0 for another."""
    if not (header.isascii() and header.isdigit()):
        return 0.0
    return min(float(header), _PATIENCE)
