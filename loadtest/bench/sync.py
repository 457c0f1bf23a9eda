"""First sync of 5,000 nodes and 150,000 pods from the fake API server: CPU and memory, against two references.

`kstream record` as a user runs it, against (a) a loop that only downloads the same pages and decodes the allowed
fields, and (b) kubernetes-asyncio's typed list, over the first pages only and counted per object: all of them would
take minutes.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from loadtest.bench.contender import resident
from loadtest.bench.results import Result, amount

_SCENARIO = "churn-at-scale"
_WAYS = {"paged": "v1.33.0", "by WatchList": "v1.36.0"}  # what kstream does with a server of that version
_MEMORY = 500e6  # bytes that kstream may take at its peak
_SYNCED = re.compile(r"In sync with .* at event (\d+)")


class Used(NamedTuple):
    cpu: float  # seconds, user and system
    memory: int  # bytes, at the peak
    objects: int


def first_sync(*, quick: bool = False) -> list[Result]:
    """Three rounds (one when quick) of each, in both ways of listing; the ratio is of the medians."""
    results: list[Result] = []
    for way, version in _WAYS.items():
        with (
            tempfile.TemporaryDirectory(prefix="kstream-bench-") as folder,
            _serving(Path(folder, "config"), version, quick=quick) as url,
        ):
            rounds = [
                (_record(Path(folder, "config"), Path(folder, f"{number}.db")), _child("bare", url))
                for number in range(1 if quick else 3)
            ]
            typed = _child("typed", url)
        ours, bare = map(_median, zip(*rounds, strict=True))
        results += _compared(way, ours, bare, typed)
    return results


def _compared(way: str, ours: Used, bare: Used, typed: Used) -> list[Result]:
    each = ours.cpu / ours.objects
    return [
        Result(
            f"first sync of {ours.objects:,} objects, {way}",
            f"{ours.cpu:.2f} s CPU",
            f"{bare.cpu:.2f} s paged download and decode",
            ours.cpu / bare.cpu,
            2.0,
            at_most=True,
        ),
        Result(
            f"first sync, per object, {way}",
            f"{each * 1e6:.0f} µs CPU",
            f"{typed.cpu / typed.objects * 1e6:.0f} µs kubernetes-asyncio",
            typed.cpu / typed.objects / each,
            20.0,
        ),
        Result(
            f"first sync, peak memory, {way}",
            amount(ours.memory, "B"),
            "500 MB",
            ours.memory / _MEMORY,
            1.0,
            at_most=True,
        ),
    ]


def _median(rounds: Sequence[Used]) -> Used:
    return sorted(rounds, key=lambda used: used.cpu)[len(rounds) // 2]


@contextmanager
def _serving(config: Path, version: str, *, quick: bool) -> Iterator[str]:
    """The URL of a fake API server of that version of Kubernetes, once it serves."""
    size = ("--nodes", "500", "--pods", "15000") if quick else ()
    server = subprocess.Popen(
        [
            *_kstream("fake-apiserver", "--scenario", _SCENARIO, "--churn", "0", *size),
            *("--kubeconfig-out", str(config), "--port", "0", "--version", version),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().split()[4].rstrip(",")
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def _kstream(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from kstream.cli import main; main()", *arguments]


def _record(config: Path, log: Path) -> Used:
    process = subprocess.Popen(
        _kstream("record", str(log), "--kubeconfig", str(config)), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    objects = memory = 0
    for line in process.stderr:
        if found := _SYNCED.search(line):
            objects = int(found[1])
            memory = resident(process.pid, peak=True)
            process.send_signal(signal.SIGINT)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0  # it was waited for just now
    return Used(usage.ru_utime + usage.ru_stime, memory, objects)


def _child(how: str, url: str) -> Used:
    done = subprocess.run(
        [sys.executable, "-m", "loadtest.bench.peers.sync_list", how, url],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Used(**json.loads(done.stdout))
