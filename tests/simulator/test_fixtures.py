"""The fixtures, as pytest finds them in the tests of somebody else."""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from simulator.testing import Play, Simulate

pytest_plugins = ["pytester"]

INCIDENT = Path(__file__).parents[2] / "fixtures" / "incident.db"

_ALONE = ("-p", "no:cacheprovider", "-p", "no:asyncio")
_THEIRS = """
def test_a_node_that_stops_answering(kstream_sim):
    first = kstream_sim("node-failure", at="1m")
    first.step("20s")
    assert {"name": "node-3", "status": "NotReady"} in [
        {"name": node["name"], "status": node["status"]} for node in first.state()["nodes"]
    ]
    print("page", first.page)

def test_nothing_of_ours():
    pass
"""


def test_a_simulation_is_there_without_a_word_and_ends_with_its_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(_THEIRS)
    run = pytester.runpytest_inprocess("-s", *_ALONE)
    run.assert_outcomes(passed=2)
    page = next(line.split()[-1] for line in run.outlines if "page http" in line)
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(page)


def test_the_fixtures_are_listed_with_what_they_do(pytester: pytest.Pytester) -> None:
    run = pytester.runpytest_inprocess("--fixtures", *_ALONE)
    run.stdout.fnmatch_lines(
        ["kstream_sim *", "*Starts simulations*", "kstream_replay *", "*Starts replays*"]
    )


def test_a_recording_goes_to_another_moment_and_plays_on(kstream_replay: Play) -> None:
    server = kstream_replay(INCIDENT, options=("--from", "seq:100"))
    before = server.pause()
    assert before["state"] == "paused"
    later = server.seek("+1m")
    assert datetime.fromisoformat(later["at"]) - datetime.fromisoformat(before["at"]) == timedelta(minutes=1)
    assert server.step()["state"] == "paused"
    assert len(server.state()["pods"]) > 0
    playing = server.play(20)
    assert (playing["state"], playing["speed"]) == ("playing", 20)
    assert server.play()["speed"] == 20


def test_who_does_not_use_them_has_nothing_loaded() -> None:
    script = (
        "import sys, simulator.fixtures; print(*(name for name in sys.modules if name.startswith('kstream')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_what_they_start_is_told_in_types(kstream_sim: Simulate, kstream_replay: Play) -> None:
    """Nothing is started before one is called."""
