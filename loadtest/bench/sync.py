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
from pathlib import Path
from typing import NamedTuple

from loadtest.bench.results import Result, amount

_SCENARIO = "churn-at-scale"
_MEMORY = 500e6  # bytes that kstream may take at its peak
_SYNCED = re.compile(r"In sync with .* at event (\d+)")


class Used(NamedTuple):
    cpu: float  # seconds, user and system
    memory: int  # bytes, at the peak
    objects: int


def first_sync(*, quick: bool = False) -> list[Result]:
    """Three rounds (one when quick) of each; the ratio is of the medians."""
    with tempfile.TemporaryDirectory(prefix="kstream-bench-") as folder:
        config = Path(folder, "config")
        size = ("--nodes", "500", "--pods", "15000") if quick else ()
        server = subprocess.Popen(
            [
                *_kstream("fake-apiserver", "--scenario", _SCENARIO, "--churn", "0", *size),
                *("--kubeconfig-out", str(config), "--port", "0"),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[4].rstrip(",")
            rounds = [
                (_record(config, Path(folder, f"{number}.db")), _bare(url), _typed(url))
                for number in range(1 if quick else 3)
            ]
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()
    ours, bare, typed = (
        sorted(column, key=lambda used: used.cpu)[len(rounds) // 2] for column in zip(*rounds, strict=True)
    )
    each = ours.cpu / ours.objects
    return [
        Result(
            f"first sync of {ours.objects:,} objects",
            f"{ours.cpu:.2f} s CPU",
            f"{bare.cpu:.2f} s download and decode",
            ours.cpu / bare.cpu,
            2.0,
            at_most=True,
        ),
        Result(
            "first sync, per object",
            f"{each * 1e6:.0f} µs CPU",
            f"{typed.cpu / typed.objects * 1e6:.0f} µs kubernetes-asyncio",
            typed.cpu / typed.objects / each,
            20.0,
        ),
        Result(
            "first sync, peak memory",
            amount(ours.memory, "B"),
            "500 MB",
            ours.memory / _MEMORY,
            1.0,
            at_most=True,
        ),
    ]


def _kstream(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from kstream.cli import main; main()", *arguments]


def _record(config: Path, log: Path) -> Used:
    process = subprocess.Popen(
        _kstream("record", str(log), "--kubeconfig", str(config)), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    objects = 0
    for line in process.stderr:
        if found := _SYNCED.search(line):
            objects = int(found[1])
            process.send_signal(signal.SIGINT)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0  # it was waited for just now
    return Used(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, objects)


def _bare(url: str) -> Used:
    return _child("bare", url)


def _typed(url: str) -> Used:
    return _child("typed", url)


def _child(how: str, url: str) -> Used:
    done = subprocess.run(
        [sys.executable, "-m", "loadtest.bench.peers.sync_list", how, url],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Used(**json.loads(done.stdout))
