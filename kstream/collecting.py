"""How often the garbage collector comes by, in every process of kstream."""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """Tell the garbage collector what all processes know: a state is hundreds of thousands of objects that live long
    and form no cycles. At its usual thresholds it walks them again and again, a fifth of the CPU of a first sync, and
    nobody is served meanwhile."""
    gc.set_threshold(100_000, 50, 100)
