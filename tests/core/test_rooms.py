"""Each module of the core has tests of its own: what only a far test notices is noticed by luck."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = ROOT / "kstream" / "core"
TESTS = ROOT / "tests" / "core"


def modules() -> list[Path]:
    """Every module of the core, as seen from there; not the packages, which are empty."""
    return sorted(path.relative_to(CORE) for path in CORE.rglob("*.py") if path.name != "__init__.py")


def test_every_module_of_the_core_has_a_test_file_of_its_own() -> None:
    found = modules()
    assert Path("timeline/state.py") in found
    missing = [str(path) for path in found if not (TESTS / path.parent / f"test_{path.name}").is_file()]
    assert missing == [], "write tests/core/<room>/test_<module>.py, which alone covers the module"


def test_the_packages_of_the_core_hold_no_code_that_no_test_file_could_be_named_after() -> None:
    assert [path for path in CORE.rglob("__init__.py") if path.read_text(encoding="utf-8").strip()] == []
