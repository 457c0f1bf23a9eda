"""Pages that `kstream log page` has made: what is in them."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

_EMBEDDED = re.compile(
    r'<script type="application/kstream-recording" id="recording">([A-Za-z0-9+/=]*)</script>'
)


def recording_in(page: Path) -> tuple[str, dict[str, Any]]:
    """As it stands there, and unpacked."""
    (packed,) = _EMBEDDED.findall(page.read_text("utf-8"))
    return packed, json.loads(gzip.decompress(base64.b64decode(packed)))
