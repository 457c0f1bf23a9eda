"""The programs of others that read schemas: those of npm in this folder, where there is Node."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.node_tests import install

HERE: Final = Path(__file__).parent


@pytest.fixture(scope="session")
def generators(node: str) -> Path:
    """The folder of their commands; skips the test with the reason where they cannot be installed."""
    install(HERE)
    return HERE / "node_modules" / ".bin"
