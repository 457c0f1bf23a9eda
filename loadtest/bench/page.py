"""What the page costs a browser with 150,000 pods and 500 events a second, beside the page of lists that there was."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Final

from loadtest.bench.results import Result

_ROOT: Final = Path(__file__).parents[2]
_STATIC: Final = "kstream/web/static"
_BEFORE: Final = "497a189"  # the last commit of a page of lists alone
_SCRIPT: Final = Path(__file__).parent / "node" / "page.mjs"
_MODULES: Final = _ROOT / "tests" / "js"
_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FRAME: Final = 16.0  # milliseconds
_SEARCH: Final = 50.0
_MEMORY: Final = 300e6  # bytes
_TITLE: Final = "page, 150,000 pods, 500 events/s"


def page(*, quick: bool) -> list[Result]:
    """Frames, searches and memory, each against its limit, and against the page before."""
    missing = _missing()
    if missing:
        return [
            Result(f"{_TITLE}: {what}", "", "", None, 1.0, at_most=True, note=missing)
            for what in ("a frame", "a search", "memory")
        ]
    seconds = 5 if quick else 15
    ours = _measured(_ROOT / _STATIC, seconds)
    with tempfile.TemporaryDirectory() as folder:
        before = _page_before(Path(folder))
        theirs = _measured(before, seconds) if before else None
    frame, search = _milliseconds(ours["frame"]), _milliseconds(ours["search"])
    memory = _megabytes(ours["memory"])
    results = [
        _cost("a frame (p95, CPU), to its limit", frame, "16 ms", ours["frame"] / _FRAME),
        _cost("a search (CPU), to its limit", search, "50 ms", ours["search"] / _SEARCH),
        _cost("memory, to its limit", memory, "300 MB", ours["memory"] / _MEMORY),
    ]
    if theirs is not None:
        results += [
            _cost(
                "a frame, to lists",
                frame,
                _milliseconds(theirs["frame"]),
                ours["frame"] / theirs["frame"],
                goal=0.5,
            ),
            _cost(
                "a search, to lists",
                search,
                _milliseconds(theirs["search"]),
                ours["search"] / theirs["search"],
            ),
            _cost(
                "memory, to lists",
                memory,
                _megabytes(theirs["memory"]),
                ours["memory"] / theirs["memory"],
                goal=2.0,
            ),
        ]
    return results


def _cost(what: str, figure: str, peer: str, ratio: float, *, goal: float = 1.0) -> Result:
    return Result(f"{_TITLE}: {what}", figure, peer, ratio, goal, at_most=True)


def _milliseconds(value: float) -> str:
    return f"{value:.1f} ms"


def _megabytes(value: float) -> str:
    return f"{value / 1e6:.0f} MB"


def _chromium() -> str | None:
    return os.environ.get("KSTREAM_CHROMIUM") or next(filter(None, map(shutil.which, _CHROMIUM)), None)


def _missing() -> str:
    if shutil.which("node") is None or not (_MODULES / "node_modules" / "playwright-core").exists():
        return "Node or its playwright-core is not installed: make test"
    return "" if _chromium() else "no Chromium: make browser"


def _page_before(folder: Path) -> Path | None:
    """The files of the page as they were; None where the history is not here."""
    packed = subprocess.run(["git", "archive", _BEFORE, _STATIC], cwd=_ROOT, capture_output=True, check=False)
    if packed.returncode:
        return None
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder / _STATIC


def _measured(static: Path, seconds: int) -> dict[str, Any]:
    command = ["node", _SCRIPT, static, _chromium() or "", 150_000, 5000, 500, seconds, _MODULES]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured
