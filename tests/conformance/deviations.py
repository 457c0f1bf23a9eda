"""Where this server differs from what the suite expects, or from the letter of the RFCs.

docs/websocket-conformance.md argues each; test_deviations holds that page to this list.
"""

from __future__ import annotations

from typing import Final

# The key → the cases, as patterns of their numbers.
DEVIATIONS: Final[dict[str, tuple[str, ...]]] = {
    "binary": ("1.2.*", "9.2.*", "9.4.*", "9.6.*", "9.8.*", "12.2.*", "12.5.*"),
    "fail-fast": ("6.4.*",),
    "limit": ("9.1.6", "9.2.6", "R.25"),
    "long": ("7.1.6", "9.1.2", "9.1.3", "9.1.4", "9.1.5", "9.3.*"),
    "rate": ("9.7.*", "12.1.*", "12.3.*", "12.4.*", "13.*"),
    "unmasked": ("R.1",),
    "length": ("R.2", "R.3"),
    "empty-fragment": ("R.4",),
    "deflated-control": ("R.23",),
    "broken": ("R.24",),
    "no-wait": ("R.8",),
}
