"""What comes to `kstream certify`: a script from a file, a fold from somebody's harness."""

from __future__ import annotations

import json
from typing import Any, Final

from kstream.core.errors import UsageError
from kstream.core.visible import visible
from simulator.certify.harness import HarnessError, read_answer
from simulator.certify.history import History
from simulator.certify.judging import Expected, differences
from simulator.certify.steps import read_script, written
from tests.fuzz.target import Target

_VIEW: Final = History().view(frozenset())


def script(data: bytes) -> None:
    """What is read is read again as it is printed."""
    found = read_script(data.decode("utf-8", "replace"))
    assert read_script(json.dumps(written(found))) == found


def fold(data: bytes) -> None:
    """Whatever a harness answers is judged, in lines of bounded length that are safe to show."""
    answer: Any = read_answer(data, "fold")
    lines = differences(answer, Expected(view=_VIEW, seq=3, stale=False, may_be_empty=False, faults=()))
    assert len(lines) <= 13
    assert all(len(line) < 8 * 400 and visible(line) == line for line in lines), lines


TARGETS: Final = (
    Target(
        name="certify-script",
        run=script,
        syntax="json",
        raises=UsageError,
        words=(
            "do",
            "add",
            "drop",
            "back",
            "send",
            "how",
            "parts",
            "name",
            "namespace",
            "namespaces",
            "times",
            "status",
        ),
        executions=400,
    ),
    Target(
        name="certify-fold",
        run=fold,
        syntax="json",
        raises=HarnessError,
        words=(
            "nodes",
            "pods",
            "namespaces",
            "uid",
            "name",
            "seq",
            "stale",
            "podCounts",
            "error",
            "faults",
            "asOf",
        ),
        executions=400,
    ),
)
