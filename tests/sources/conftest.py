from __future__ import annotations

import pytest

from simulator.apiserver.tls import Certificate, make_certificate


@pytest.fixture(scope="session")
def certificate() -> Certificate:
    """Of a server at 127.0.0.1: credentials are sent over https only."""
    return make_certificate("127.0.0.1")
