"""What a server's answer to a handshake means to whoever asked. Pure."""

from __future__ import annotations

from kstream.core.errors import ConfigError, ForbiddenError, KstreamError, UnreachableError


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
        return NotNowError(
            f"{url} takes no client now: {cause}. Try again later", float(wait) if wait.isdecimal() else 0.0
        )
    if status == 400:
        return ConfigError(f"{url} does not accept the request: {cause}. Correct the namespaces or the URL")
    return ConfigError(f"{url} is no kstream server: it answers {cause}. Correct the URL; the path is /ws")
