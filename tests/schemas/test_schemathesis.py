"""Schemathesis asks what OpenAPI says may be asked, and what may not, of a server; its answers are as described."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from kstream.clock import VirtualClock
from kstream.core.timeline.events import Verb
from kstream.logs.memory import MemoryLog
from kstream.logs.replay import ReplayLog
from kstream.schemas.document import document
from tests.making import change, node_key, pod_key
from tests.web.serving import playing

# That all is taken that is of the right type is not asked: moments, selectors, conditions have grammars of their own.
OPTIONS = (
    *("--max-examples", "5", "--phases", "coverage,fuzzing", "--generation-deterministic"),
    *("--exclude-checks", "positive_data_acceptance", "--no-color"),
)


async def test_every_answer_is_as_it_is_described(tmp_path: Path) -> None:
    """A field that is not described is none. In a process of its own: it takes seconds to be imported."""
    (tmp_path / "openapi.json").write_text(document("openapi", closed=True))
    log, clock = MemoryLog(epoch="e"), VirtualClock()
    await log.append([change(Verb.ADDED, key) for key in (node_key("n"), pod_key("a"), pod_key("b"))])
    timeline = await ReplayLog.open(log, clock, paused=True)
    async with playing(timeline, clock) as server:
        process = await asyncio.create_subprocess_exec(
            *(str(Path(sys.executable).with_name("schemathesis")), "run", "openapi.json"),
            *("--url", server.http(""), *OPTIONS),
            cwd=tmp_path,
            env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    text = said.decode()
    assert process.returncode == 0, text
    assert "Tested: 13" in text
