"""A mutant before its judges: the tests of its room run against a copy of the project that has the mutant in it.

The process forks once for each mutant: what the tests need of other people's code is imported once."""

from __future__ import annotations

import importlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, NoReturn

import pytest

from tests.mutants.covering import DURATIONS, Covering
from tests.mutants.mutation import Mutant, apply
from tests.mutants.rooms import ROOT, room_of

_LEFT_OUT: Final = (".git", ".venv*", "node_modules", ".hypothesis", ".*_cache", "dist", "build")
_BUDGET: Final = 20.0  # seconds of tests, as they were measured; the quickest ones that run the line
_MEMORY: Final = 6 << 30  # bytes of address space
_WARM: Final = (
    "aiohttp.web",
    "aiohttp.test_utils",
    "hypothesis",
    "msgspec",
    "pydantic",
    "sqlite_utils",
    "websockets",
    "yaml",
)


class Verdict(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    UNSEEN = "unseen"  # no test of the room runs the line


def measure(tests: Sequence[str], folder: Path, jobs: int) -> Covering:
    """Runs the tests once, as they are. Raises subprocess.CalledProcessError when they are not green."""
    folder.mkdir(parents=True)
    rc = folder / "coveragerc"
    rc.write_text(
        f"[run]\nsource = kstream\nparallel = true\npatch = subprocess\ndata_file = {folder}/data\n"
        "disable_warnings = no-data-collected, no-ctracer\n"
    )
    python = [sys.executable, "-m", "coverage"]
    command = [
        "run",
        f"--rcfile={rc}",
        "-m",
        "pytest",
        "-q",
        f"-n{jobs}",
        "-p",
        "tests.mutants.covering",
        *tests,
    ]
    subprocess.run(
        [*python, *command],
        cwd=ROOT,
        check=True,
        stdout=sys.stderr,
        env=os.environ | {DURATIONS: str(folder)},
    )
    subprocess.run([*python, "combine", "-q", f"--rcfile={rc}"], cwd=ROOT, check=True, stdout=sys.stderr)
    return Covering(folder, folder / "data")


def copy_project(target: Path) -> Path:
    shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=True)
    modules = ROOT / "tests/js/node_modules"
    if modules.exists():
        (target / "tests/js/node_modules").symlink_to(modules)
    return target


def warm() -> None:
    for name in _WARM:
        importlib.import_module(name)


def control(tree: Path, covering: Covering) -> None:
    """The judges find nothing wrong with what is not changed. Raises RuntimeError when they do."""
    tests = covering.quick(_BUDGET)
    if not _green(tree, tests, 60 + 10 * sum(map(covering.took, tests))):
        raise RuntimeError(
            f"{len(tests)} tests are not green in {tree}, where nothing was changed: no verdict counts"
        )


def judged_by_python(mutant: Mutant, tree: Path, covering: Covering) -> Verdict:
    """Runs in `tree`, which is as before afterwards."""
    tests = list(_within_budget(mutant, covering))
    if not tests:
        return Verdict.UNSEEN
    limit = 15 + 10 * sum(covering.took(test) for test in tests)
    with _Planted(mutant, tree):
        return Verdict.SURVIVED if _green(tree, tests, limit) else Verdict.KILLED


def judged_by_node(mutant: Mutant, tree: Path) -> Verdict:
    """As judged_by_python, for kstream.js."""
    with _Planted(mutant, tree):
        for name in room_of(mutant.path).tests:
            # Not `node --test`, which starts a second Node for the file.
            command = ["node", f"tests/js/{name}.test.mjs"]
            try:
                done = subprocess.run(command, cwd=tree, capture_output=True, timeout=60, check=False)
            except subprocess.TimeoutExpired:
                return Verdict.KILLED
            if done.returncode:
                return Verdict.KILLED
    return Verdict.SURVIVED


def _within_budget(mutant: Mutant, covering: Covering) -> Iterator[str]:
    spent = 0.0
    for test in covering.tests_of(ROOT / mutant.path, mutant.line):
        if spent and spent + covering.took(test) > _BUDGET:
            continue
        spent += covering.took(test)
        yield test


class _Planted:
    def __init__(self, mutant: Mutant, tree: Path) -> None:
        self._file = tree / mutant.path
        self._mutant = mutant
        self._source = self._file.read_bytes()

    def __enter__(self) -> None:
        self._file.write_bytes(apply(self._source, self._mutant))
        # One that is as long, within the second, would be taken for the same by what is compiled already.
        for compiled in self._file.parent.glob(f"__pycache__/{self._file.stem}.*"):
            compiled.unlink(missing_ok=True)

    def __exit__(self, *_: object) -> None:
        self._file.write_bytes(self._source)


def _green(tree: Path, tests: Sequence[str], limit: float) -> bool:
    """`limit` in seconds: what takes longer hangs."""
    child = os.fork()
    if child == 0:
        _run(tree, tests)
    end = time.monotonic() + limit
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return False
        time.sleep(0.01)


def _run(tree: Path, tests: Sequence[str]) -> NoReturn:
    """In a process of its own, which ends with it."""
    code = 70
    try:
        code = _pytest(tree, tests)
    finally:
        os._exit(code)


def _pytest(tree: Path, tests: Sequence[str]) -> int:
    os.setpgid(0, 0)
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    os.chdir(tree)
    os.environ["PYTHONPATH"] = str(tree)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    for name in [name for name in sys.modules if name.split(".")[0] in ("kstream", "simulator", "tests")]:
        del sys.modules[name]
    sys.path[:] = [str(tree), *(path for path in sys.path if Path(path or ".").resolve() != ROOT)]
    importlib.invalidate_caches()
    plugins = ["-p", "no:cacheprovider", "-p", "tests.mutants.covering"]
    # What was imported before the fork is as it is: no one rewrites its assertions.
    warning = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    return int(pytest.main(["-x", "-q", *plugins, *warning, *tests]))
