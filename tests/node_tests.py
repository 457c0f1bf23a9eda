"""Runs Node's test runner over files of tests/js, or says why it cannot."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

JS = Path(__file__).parent / "js"
BUILD = JS.parents[1] / "js" / "build.mjs"
_OLDEST = 20


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node, with what the tests need from npm; skips the test with the reason where it is missing."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("Node is not installed")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    major = re.match(r"v(\d+)", version)
    if major is None or int(major[1]) < _OLDEST:
        pytest.skip(f"Node is {version.strip()}; the tests need {_OLDEST} or newer")
    install(JS)
    return found


@pytest.fixture(scope="session")
def package(node: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node_modules that has what npm has installed, and the package `kstream` as it is built."""
    base = tmp_path_factory.getbasetemp()
    # All processes of a run share the folder above theirs, and one of them builds.
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    modules = base / "npm" / "node_modules"
    with (base / "npm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not modules.exists():
            building = modules.with_name("building")
            subprocess.run([node, str(BUILD), str(building / "kstream")], check=True)
            for installed in (JS / "node_modules").iterdir():
                (building / installed.name).symlink_to(installed)
            building.rename(modules)
    return modules


def install(folder: Path) -> None:
    """What the lock file of a folder names; skips the test with the reason where that cannot be had."""
    # Several test processes may want it at once; npm does not expect company.
    with (folder / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_current(folder):
            return
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip(f"npm is not installed, and tests/{folder.name}/node_modules is missing")
        done = subprocess.run(
            [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],  # some would tell others of it
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"npm ci in tests/{folder.name} failed: {done.stderr.strip()[-300:]}")


def _is_current(folder: Path) -> bool:
    """What the lock file names is what npm says it has installed."""
    wanted, installed = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    if not installed.exists():
        return False
    missing = _versions(wanted) - _versions(installed)
    return not missing


def _versions(lock: Path) -> set[tuple[str, str]]:
    packages = json.loads(lock.read_text("utf-8"))["packages"]
    return {(path, package["version"]) for path, package in packages.items() if path}


async def run(node: str, file: str, environ: Mapping[str, str] | None = None) -> None:
    """Run one file of tests/js; what it prints is the failure."""
    process = await asyncio.create_subprocess_exec(
        node,
        "--test",
        "--test-reporter=spec",
        file,
        cwd=JS,
        env={**os.environ, **(environ or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # Node's runner has children of its own: they end with it
    )
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    text = out.decode()
    assert process.returncode == 0, text
    assert re.search(r"^\S pass [1-9]", text, re.MULTILINE), f"no test ran:\n{text}"
