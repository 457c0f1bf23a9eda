"""What must not be read by others is taken out of what others say: servers and proxies repeat what they were sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_HIDDEN: Final = "[redacted]"
_SCHEME: Final = re.compile(r"\b(Bearer|Basic)\s+[^\s,;'\"<>]+", re.IGNORECASE)
_USER: Final = re.compile(r"(?<=://)[^\s/?#'\"@]*@")
_SHORT: Final = 6  # characters: what is shorter is taken out as a word of its own only


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Without the secrets, without the credentials of any Authorization, without the user of any URL."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        if len(secret) >= _SHORT:
            text = text.replace(secret, _HIDDEN)
        else:
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", _HIDDEN, text)
    return _USER.sub(f"{_HIDDEN}@", _SCHEME.sub(rf"\1 {_HIDDEN}", text))
