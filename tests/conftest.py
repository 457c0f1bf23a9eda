"""For every test: a blocking call of ours inside the event loop is an error."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx


@pytest.fixture(autouse=True)
def _no_blocking_calls() -> Iterator[BlockBuster]:
    with blockbuster_ctx(scanned_modules=["kstream", "simulator"]) as blockbuster:
        yield blockbuster
