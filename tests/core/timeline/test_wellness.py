"""What is bad is what the page calls "not well", and what agents are told of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.timeline.wellness import _WORDS, RUNNING, TOLD_TO_GO, Badness, badness, is_bad, is_unwell

_STATUSES: dict[str, list[str]] = json.loads(
    (Path(__file__).parents[3] / "fixtures" / "statuses.json").read_text()
)


@pytest.mark.parametrize(
    ("degree", "status"), [(degree, status) for degree, some in _STATUSES.items() for status in some]
)
def test_each_status_is_as_bad_as_the_fixture_says_that_the_page_reads_too(degree: str, status: str) -> None:
    assert badness(status) is Badness[degree]
    assert is_bad(status) is (degree in ("PRESSED", "FAILING"))


def test_the_fixture_has_every_word_that_is_known() -> None:
    assert {status for some in _STATUSES.values() for status in some} > set(_WORDS)
    assert set(_STATUSES["PRESSED"]) > TOLD_TO_GO


@given(status=st.text(), label=st.text())
def test_of_a_body_its_own_status_counts_and_no_other(status: str, label: str) -> None:
    fields = {"name": label, "phase": label, "status": status, "labels": {"status": label, label: "Error"}}
    body = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
    assert is_unwell(body) is is_bad(json.dumps(status, ensure_ascii=False)[1:-1].split('"')[0])
    assert is_unwell(body.replace('"status"', '"state"', 1)) is is_bad(label.split('"')[0]) or '"' in label
    assert not is_unwell(body.replace("status", "state"))
    assert (RUNNING in body[: body.index("labels")]) is (status == "Running") or "status" in label
