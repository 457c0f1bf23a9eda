"""Kills a process that writes a log, again and again, and checks what it leaves. Run by test_killed.py.

Arguments: the log, how often, a seed. Prints a line for each kill: the seqs that were promised, and those found.
It forks from a process that has imported everything already and has no threads: a life takes milliseconds.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from kstream.core.timeline.recorder import Recorder
from kstream.logs.sqlite import SqliteLog
from tests.logs.facts import history


async def write(path: Path, promise: int, seed: int) -> None:
    """Append for ever; after each commit say up to where."""
    rng = random.Random(seed)
    log = await SqliteLog.open(path)
    changes = list(history(1000, seed=seed))
    recorder = Recorder(await log.state_at(log.head))  # what was written before may be about the same objects
    while True:
        start = rng.randrange(900)
        appends = [
            asyncio.ensure_future(log.append(recorder.take(changes[start : start + rng.randrange(1, 60)])))
            for _ in range(rng.randrange(1, 4))
        ]
        for done in asyncio.as_completed(appends):
            os.write(promise, b"%d\n" % await done)


def life(path: Path, seed: int) -> int:
    """One writer, killed at some moment; the last seq that it had promised."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        asyncio.run(write(path, writing, seed))
    os.close(writing)
    last = 0
    with os.fdopen(reading, "rb") as promises:
        for _ in range(random.Random(seed).randrange(1, 25)):
            last = max(last, int(promises.readline()))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        for line in promises.read().splitlines(keepends=True):
            if line.endswith(b"\n"):
                last = max(last, int(line))
    return last


def check(path: Path) -> tuple[int, int, int]:
    with closing(sqlite3.connect(path)) as connection:
        (verdict,) = connection.execute("PRAGMA integrity_check").fetchone()
        assert verdict == "ok", verdict
        first, last, count = connection.execute("SELECT min(seq), max(seq), count(*) FROM events").fetchone()
    return first, last, count


def main() -> None:
    path, times, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    for number in range(times):
        promised = life(path, seed + number)
        first, last, count = check(path)
        os.write(1, b"%d %d %d %d\n" % (promised, first, last, count))


if __name__ == "__main__":
    main()
