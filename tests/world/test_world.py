"""The whole system from one seed: see stage.py for what is real in it and what is played."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from kstream.core.watching.history import History
from tests.world.kept import FILE, Kept, keep, read
from tests.world.known import ON, OPEN, Open
from tests.world.search import report, search, shrink
from tests.world.stage import play
from tests.world.story import Step, story

pytestmark = pytest.mark.untraced
_SEEDS = 6  # new ones in a run: a number and not a time, so that a slow machine looks as far as a fast one


@pytest.mark.parametrize("switches", ON, ids=lambda on: "+".join(sorted(on)) or "none")
def test_new_seeds_find_nothing(switches: frozenset[str]) -> None:
    first = random.SystemRandom().randrange(1_000_000_000)
    hit = search(range(first, first + _SEEDS), switches)
    assert hit is None, report(*hit)


@pytest.mark.parametrize("kept", read(FILE.read_text().splitlines()), ids=str)
def test_what_was_found_once_is_mended(kept: Kept) -> None:
    assert play(kept.seed, kept.steps) == ""


def test_a_story_is_kept_as_it_is_told_now_and_once(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    file.touch()
    for seed, switches in ((3, frozenset[str]()), (3, frozenset({"denied"})), (4, frozenset[str]())):
        assert keep(seed, switches, file=file) == "kept in kept.jsonl"
        assert "already" in keep(seed, switches, file=file)
    assert read(file.read_text().splitlines()) == [
        Kept(seed, switches, tuple(story(seed, switches)))
        for seed, switches in ((3, frozenset[str]()), (3, frozenset({"denied"})), (4, frozenset[str]()))
    ]


@pytest.mark.parametrize("whom", ["", "0"])
def test_a_step_that_nobody_does_is_named(whom: str) -> None:
    with pytest.raises(ValueError, match=r"blip.*stage\.py"):
        play(1, [Step(1.0, "blip", whom)])


@pytest.mark.parametrize("known", OPEN, ids=lambda known: known.switch)
def test_what_is_known_and_open_is_still_found(known: Open) -> None:
    found = play(known.seed, story(known.seed, frozenset({known.switch})))
    assert found.startswith(f"{known.kind}: "), (
        "it is mended: keep its story (--keep), and have its switch in every run"
    )


# The steps, and each byte that a client is sent, and when.
TOLD = """
import asyncio
from zlib import crc32
from tests.world.clients import Client
from tests.world.stage import play
from tests.world.story import story

original = Client.write

def write(self, data):
    print(asyncio.get_running_loop().time(), self.name, "is sent", crc32(data))
    original(self, data)

Client.write = write
"""


@pytest.mark.parametrize("seed", [1, 24])
def test_a_seed_tells_one_story_in_every_process(seed: int) -> None:
    script = TOLD + f"print(play({seed}, story({seed}, frozenset({{'restored'}})), trace=print))"
    told = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(told) == 1
    (lines,) = told
    assert "etcd restored" in lines
    assert lines.count("client 0 is sent") > 20


def test_a_story_is_made_shorter_and_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(History, "doubtful", lambda *_, **__: False)
    monkeypatch.setattr(History, "granted", lambda *_, **__: False)
    steps = story(12, frozenset({"restored"}))
    short = shrink(12, steps)
    assert len(short) < len(steps) / 2
    assert {step.what for step in short} >= {"etcd copy", "etcd restored"}
    kind = play(12, steps).partition(":")[0]
    assert kind
    assert play(12, short).startswith(f"{kind}: ")


def test_the_trace_is_the_story() -> None:
    told: list[str] = []
    play(1, [Step(1.0, "write", "3"), Step(2.5, "drop", "0")], trace=told.append)
    assert told == ["   1.00 s  write 3", "   2.50 s  drop 0"]
