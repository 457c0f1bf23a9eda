"""What is bad is what the page calls "not well"."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.timeline.wellness import _FINE, RUNNING, is_bad, is_unwell

_PAGE = Path(__file__).parents[3] / "kstream/web/static/viewer-model.js"


@pytest.mark.parametrize(
    "status",
    ["CrashLoopBackOff", "Error", "ImagePullBackOff", "NotReady", "Unknown", "Init:Error", "Init:1/2x"],
)
def test_what_nobody_waits_for_is_bad(status: str) -> None:
    assert is_bad(status)
    assert is_bad(f"{status},SchedulingDisabled")


@pytest.mark.parametrize(
    "status",
    ["", "Running", "Pending", "Init:1/12", "Terminating", "Ready", "Ready,SchedulingDisabled", "Active"],
)
def test_what_is_well_or_passes_by_itself_is_not(status: str) -> None:
    assert not is_bad(status)


def test_the_words_are_those_of_the_page() -> None:
    lists = re.findall(r"const (?:GOOD|PASSING) = new Set\(\[(.*?)\]\)", _PAGE.read_text())
    assert {word for each in lists for word in json.loads(f"[{each}]")} == _FINE


@given(status=st.text(), label=st.text())
def test_of_a_body_its_own_status_counts_and_no_other(status: str, label: str) -> None:
    fields = {"name": label, "phase": label, "status": status, "labels": {"status": label, label: "Error"}}
    body = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
    assert is_unwell(body) is is_bad(json.dumps(status, ensure_ascii=False)[1:-1].split('"')[0])
    assert is_unwell(body.replace('"status"', '"state"', 1)) is is_bad(label.split('"')[0]) or '"' in label
    assert not is_unwell(body.replace("status", "state"))
    assert (RUNNING in body[: body.index("labels")]) is (status == "Running") or "status" in label
