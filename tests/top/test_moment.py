"""What time it is on a timeline, between two messages."""

from __future__ import annotations

from typing import Any

import pytest

from kstream.top.moment import Moment


@pytest.mark.parametrize(
    ("playback", "running", "time"),
    [
        (None, True, 107.0),
        (None, False, 100.0),
        ({"state": "live", "speed": 1.0}, True, 107.0),
        ({"state": "playing", "speed": 4.0}, True, 128.0),
        ({"state": "playing", "speed": "max"}, True, 100.0),
        ({"state": "paused", "speed": 4.0}, True, 100.0),
        ({"state": "ended", "speed": 4.0}, True, 100.0),
    ],
)
def test_it_goes_on_as_the_timeline_does(playback: dict[str, Any] | None, running: bool, time: float) -> None:
    moment = Moment()
    assert moment.time(0.0, playback, running=running) is None
    moment.heard(100.0, now=3.0)
    moment.heard(None, now=9.0)
    assert moment.time(10.0, playback, running=running) == time
