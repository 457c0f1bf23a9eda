"""The event log that a live cluster is recorded to."""

from __future__ import annotations

from pathlib import Path

import pytest

from kstream.commands.livelog import open_live
from kstream.core.errors import LogMismatchError
from kstream.core.timeline.events import Verb
from kstream.logs.sqlite import SqliteLog
from tests.making import change, pod_key


async def test_one_that_is_not_there_is_made_and_one_that_is_goes_on(tmp_path: Path) -> None:
    path = str(tmp_path / "log.db")
    log = await open_live(path)
    await log.append([change(Verb.ADDED, pod_key("a"))])
    await log.close()
    log = await open_live(path)
    assert log.head == 1
    await log.close()


@pytest.mark.parametrize(
    ("meta", "says"),
    [
        ({"simulation": '"tour"'}, "holds a simulation"),
        ({"redacted": "true"}, "was redacted, and holds pseudonyms"),
    ],
)
async def test_what_is_no_clusters_history_is_refused_and_let_go(
    tmp_path: Path, meta: dict[str, str], says: str
) -> None:
    path = tmp_path / "log.db"
    await (await SqliteLog.open(path, meta=meta)).close()
    with pytest.raises(LogMismatchError, match=says):
        await open_live(str(path))
    await (await SqliteLog.open(path)).close()
