"""Events of the last minute."""

from __future__ import annotations

from kstream.top.rate import Rate


def test_it_counts_a_minute_and_forgets_what_is_older() -> None:
    rate = Rate()
    assert rate.total(now=0.0) == 0
    rate.add(5, now=10.2)
    rate.add(2, now=10.9)
    rate.add(1, now=40.0)
    assert rate.total(now=69.9) == 8
    assert rate.total(now=70.5) == 1
    assert rate.total(now=1000.0) == 0
