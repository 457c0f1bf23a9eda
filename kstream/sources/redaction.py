"""What must not be read by others is taken out of what others say: servers and proxies repeat what they were sent."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

HIDDEN: Final = "[redacted]"
_SCHEME: Final = re.compile(r"\b(Bearer|Basic)\s+[^\s,;'\"<>]+", re.IGNORECASE)
_USER: Final = re.compile(r"(?<=://)[^\s/?#'\"@]*@")
_CUT: Final = " .…"  # what may mark that a text was cut
_SHORT: Final = 6  # characters: what is shorter is taken out as a word of its own only


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Without the secrets, without the credentials of any Authorization, without the user of any URL."""
    return _USER.sub(f"{HIDDEN}@", _SCHEME.sub(rf"\1 {HIDDEN}", without(text, secrets)))


def without(text: str, secrets: Iterable[str]) -> str:
    """Without the secrets, also as JSON, URLs and base64 spell them, and where a text was cut in the middle of one."""
    spelled = {spelling for secret in secrets if secret for spelling in _spelled(secret)}
    for secret in sorted(spelled, key=len, reverse=True):
        if len(secret) >= _SHORT:
            text = _uncut(text.replace(secret, HIDDEN), secret)
        else:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
    return text


def _spelled(secret: str) -> set[str]:
    """As it is, and as others may write it."""
    data = secret.encode(errors="replace")
    return {
        secret,
        quote(secret, safe="", errors="replace"),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        base64.b64encode(data).decode().rstrip("="),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
    }


def _uncut(text: str, secret: str) -> str:
    """A text that was cut ends with the beginning of a secret, or begins with the end of one."""
    bare, first, last = text.rstrip(_CUT), secret[:_SHORT], secret[-_SHORT:]
    # No more of the text than the secret is long: a text that repeats `first` would be copied for each of them.
    part = bare[-len(secret) :]
    start = part.find(first)
    while start >= 0 and not secret.startswith(part[start:]):
        start = part.find(first, start + 1)
    if start >= 0:
        text = f"{bare[: len(bare) - len(part) + start]}{HIDDEN}{text[len(bare) :]}"
    bare = text.lstrip(_CUT)
    part = bare[: len(secret)]
    end = part.rfind(last)
    while end >= 0 and not secret.endswith(part[: end + _SHORT]):
        end = part.rfind(last, 0, end + _SHORT - 1)
    if end >= 0:
        text = f"{text[: len(text) - len(bare)]}{HIDDEN}{bare[end + _SHORT :]}"
    return text
