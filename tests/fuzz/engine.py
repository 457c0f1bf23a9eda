"""Runs a target on many inputs, and makes what it finds as small as it can."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

from tests.fuzz.mutation import Mutator
from tests.fuzz.target import EndlessError, Target, execute

CORPUS: Final = Path(__file__).parent / "corpus"
OPEN: Final = "open"  # the folder within a target's corpus of what is found and not mended
_TRIES: Final = 300  # runs that making an input smaller may cost


class Finding(NamedTuple):
    """An input that the target does not stand; `place` tells one defect from another."""

    place: str
    data: bytes
    error: BaseException


def corpus(target: Target) -> list[Path]:
    return sorted(path for path in (CORPUS / target.name).iterdir() if path.is_file())


def open_findings(target: Target) -> list[Path]:
    folder = CORPUS / target.name / OPEN
    return sorted(folder.iterdir()) if folder.is_dir() else []


def attempt(target: Target, data: bytes) -> Finding | None:
    try:
        execute(target, data)
    except (Exception, EndlessError) as error:  # noqa: BLE001 - whatever it is, it is what is looked for
        return Finding(_place(error), data, error)
    return None


def _place(error: BaseException) -> str:
    """The kind of error and the last line of ours that it went through."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename
    ]
    last = frames[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"


def hunt(
    target: Target, seeds: Iterable[Path], *, seed: int, more: Callable[[int], bool]
) -> tuple[int, list[Finding]]:
    """Mutated inputs while `more` of the number done says so. One finding for each place, made small."""
    mutator = Mutator(target, [path.read_bytes() for path in seeds], seed)
    found: dict[str, Finding] = {}
    done = 0
    while more(done):
        finding = attempt(target, mutator.next())
        done += 1
        if finding is not None and finding.place not in found:
            found[finding.place] = smaller(target, finding)
    return done, list(found.values())


def smaller(target: Target, finding: Finding) -> Finding:
    """Take away pieces, ever smaller ones, for as long as the defect stays the same."""
    tries, size = 0, max(1, len(finding.data) // 2)
    while size and tries < _TRIES:
        at, shrunk = 0, False
        while at < len(finding.data) and tries < _TRIES:
            tries += 1
            less = attempt(target, finding.data[:at] + finding.data[at + size :])
            if less is not None and less.place == finding.place:
                finding, shrunk = less, True
            else:
                at += size
        if not shrunk or size > 1:
            size //= 2
    return finding


def save(target: Target, finding: Finding) -> Path:
    """Among what is open, under a name that its content gives."""
    folder = CORPUS / target.name / OPEN
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(finding.data).hexdigest()[:16]
    path.write_bytes(finding.data)
    return path
