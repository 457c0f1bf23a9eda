"""Addresses that people wrote, and why a connection could not be made, in the words that a person knows."""

from __future__ import annotations

import os
import ssl

import aiohttp
from yarl import URL


def why_not(error: Exception) -> str:
    """`Connection refused` where the libraries say `Cannot connect to host a:1 ssl:default [Connect call failed …]`."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"The name {error.host} is not known: {error.os_error.strerror or error.os_error}"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) and cause.errno and cause.errno > 0:
        return os.strerror(cause.errno)
    return str(cause) or "no answer in time"


def url_of(text: str) -> URL:
    """An address that somebody wrote. Raises ValueError, and nothing else, for what is none."""
    try:
        return URL(text)
    except IndexError as error:  # of yarl, for `http://[]@`
        raise ValueError(f"no address: {error}") from error
