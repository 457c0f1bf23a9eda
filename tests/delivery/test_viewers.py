"""A private timeline and who is on it; test_timelines.py has them move."""

from __future__ import annotations

import json
import re

from kstream.delivery.viewers import PrivateTimeline
from tests.delivery.timetravel import live


async def test_a_timeline_has_an_id_that_no_other_has_and_says_how_it_is_played() -> None:
    async with live() as stage:
        someone = await stage.someone()
        assert someone.viewer.timeline is None
        opened = await stage.timelines.open(at="seq:4", paused=True, wanted=lambda: True)
        several = [
            PrivateTimeline(opened.log, stage.hub, someone.viewer, prefix=prefix)
            for prefix in ("", "3.", "3.")
        ]
        ids = [timeline.id for timeline in several]
        assert len(set(ids)) == 3
        assert all(re.fullmatch(r"(3\.)?[\w-]{12}", name) for name in ids)
        assert [name.startswith("3.") for name in ids] == [False, True, True]
        told = json.loads(several[1].word().message)
        assert (told["type"], told["data"]["id"], told["data"]["state"]) == ("playback", ids[1], "paused")
        assert several[1].viewers == {}
