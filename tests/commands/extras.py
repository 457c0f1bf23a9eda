"""A machine on which an optional package is not installed."""

from __future__ import annotations

import builtins
from typing import Any

import pytest


def leave_out(monkeypatch: pytest.MonkeyPatch, package: str, *, needed_by: str) -> None:
    """From now on the module `needed_by` cannot be imported, for want of `package`."""
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == needed_by:
            raise ModuleNotFoundError(f"No module named {package!r}", name=f"{package}.inner")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
