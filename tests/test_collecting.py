"""Every process of kstream has its garbage collector come by as seldom."""

from __future__ import annotations

import subprocess
import sys

import pytest

_ASKED = """
import atexit, gc, sys
atexit.register(lambda: print(gc.get_threshold()))
from {module} import main
main({arguments})
"""


@pytest.mark.parametrize(
    ("module", "arguments"),
    [("kstream.cli", "['check', '--kubeconfig', '/nowhere']"), ("kstream.workers.worker", "")],
)
def test_commands_and_workers_tell_their_collector_what_they_know(module: str, arguments: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _ASKED.format(module=module, arguments=arguments)],
        input=b"{}\n",
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert ended.stdout.splitlines()[-1:] == [b"(100000, 50, 100)"], ended.stderr
