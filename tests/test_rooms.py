"""A test file for each room, at the same place under tests/: what judges a module is found by its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).parents[1]


class Judged(NamedTuple):
    by: str  # a test file
    why: str  # it is another one than that of the module's name


_WHOLE: Final = "a simulated cluster is judged by what it does as a whole: its parts alone promise nothing"
_SERVED: Final = "what a client is answered is judged over HTTP, beside what a real server answered"
_COMMAND: Final = "a command is judged as a person runs it: the process, its output and its exit code"
_TOLD: Final = "a story is judged as it is told: from a scenario"
_ACTED: Final = "what can befall a cluster is judged by the actions that do it"
_DRIVEN: Final = "it is what the control of a run drives"
_SOURCES: Final = "kstream/sources"
_API: Final = "simulator/apiserver"
_API_TESTS: Final = "tests/simulator/apiserver"
_STORY: Final = "simulator/story"


def _all(by: str, why: str, folder: str, names: str) -> dict[str, Judged]:
    return {f"{folder}/{name}.py": Judged(by, why) for name in names.split()}


# Shorter with every file that is written; longer with none. A path that ends in "/" is whatever of a folder has no file
# of its own: it is judged together.
JUDGED: Final = {
    "simulator/cluster/controllers/": Judged("tests/simulator/cluster/test_lifecycles.py", _WHOLE),
    **_all("tests/commands/log/test_trim.py", _COMMAND, "kstream/commands", "keeping"),
    **_all("tests/test_incident_replay.py", _COMMAND, "kstream/commands", "replay"),
    **_all("tests/logs/test_replay.py", "a replay says what its ends are", "kstream/logs", "ends"),
    **_all("tests/test_cli.py", _COMMAND, "kstream/commands", "serve serving tail"),
    **_all("tests/test_cli.py", "a setting is what its option and its variable make of it", "kstream", "config"),
    **_all("tests/top/test_app.py", "what is drawn is judged as it is seen", "kstream/top", "panel mappanel screens"),
    **_all("tests/logs/test_contract.py", "it has types only; what they promise is the contract", "kstream", "ports"),
    **_all("tests/test_incident_replay.py", "it composes what the others are: a running server", "kstream", "run"),
    **_all("tests/sources/test_permissions.py", "which streams run is what RBAC allows", _SOURCES, "streams"),
    **_all(f"{_API_TESTS}/test_exchanges.py", _SERVED, _API, "app discovery managedfields statuses table rendering"),
    **_all(f"{_API_TESTS}/test_server.py", _SERVED, _API, "feed kinds kubeconfig simulated tls"),
    **_all(f"{_API_TESTS}/test_command.py", _COMMAND, _API, "commands"),
    **_all(
        "tests/simulator/cluster/test_invariants.py",
        _WHOLE,
        "simulator/cluster",
        "bounds engine kubelet names objects render scheduler storage templates workloads",
    ),
    **_all("tests/simulator/story/test_actions.py", _ACTED, _STORY, "capacity director fields workloads"),
    **_all("tests/simulator/story/test_scenario.py", _TOLD, _STORY, "churn construction durations schema"),
    **_all("tests/simulator/test_determinism.py", "a run is the same run again", "simulator", "fingerprint simulation"),
    **_all("tests/simulator/test_control.py", _DRIVEN, "simulator", "source"),
    **_all("tests/simulator/test_commands.py", "it starts commands for the tests of others", "simulator", "testing"),
    **_all(
        "tests/simulator/certify/test_ours.py",
        "a run is judged by clients: ours pass it, and each fault that is planted in one is found",
        "simulator/certify",
        "failure outage referee server telling",
    ),
    "simulator/certify/harnesses/": Judged("tests/simulator/certify/test_ours.py", "it is what the run is tried with"),
    **_all("tests/loadtest/test_bench.py", "a benchmark asserts no speed", "simulator", "bench"),
}  # fmt: skip


def modules() -> Iterator[Path]:
    """Of kstream and the simulator, seen from the root; a package is what is in it."""
    for top in ("kstream", "simulator"):
        for path in sorted((ROOT / top).rglob("*.py")):
            if path.name != "__init__.py":
                yield path.relative_to(ROOT)


def own(module: Path) -> Path:
    """Where its tests are: tests/ is the place of kstream/, and the simulator is within."""
    inside = module.relative_to("kstream") if module.parts[0] == "kstream" else module
    return Path("tests") / inside.parent / f"test_{inside.name}"


def entry_of(module: Path) -> str | None:
    """The module's own entry of the list, or that of its folder."""
    candidates = (str(module), f"{module.parent}/")
    return next((each for each in candidates if each in JUDGED), None)


def without_a_file() -> list[Path]:
    return [module for module in modules() if not (ROOT / own(module)).is_file()]


@pytest.mark.parametrize(
    ("module", "test"),
    [
        ("kstream/cli.py", "tests/test_cli.py"),
        ("kstream/core/timeline/state.py", "tests/core/timeline/test_state.py"),
        ("simulator/story/scenario.py", "tests/simulator/story/test_scenario.py"),
    ],
)
def test_the_tests_of_a_module_are_at_the_same_place(module: str, test: str) -> None:
    assert Path(module) in set(modules())
    assert own(Path(module)) == Path(test)


def test_every_module_has_a_test_file_of_its_name_or_a_reason_why_another_one_judges_it() -> None:
    missing = [f"{module}: write {own(module)}" for module in without_a_file() if entry_of(module) is None]
    assert missing == []


def test_the_list_names_nothing_that_is_not_so() -> None:
    used = {entry_of(module) for module in without_a_file()}
    assert [each for each in JUDGED if each not in used] == [], (
        "it has its own file now, or is not there any more"
    )
    assert [each.by for each in JUDGED.values() if not (ROOT / each.by).is_file()] == []


def test_the_core_is_not_on_the_list() -> None:
    assert [each for each in JUDGED if each.startswith("kstream/core/")] == []


# What is longer than a room may be, and why.
LONG: Final = {
    "kstream/web/static/kstream.js": "a frontend loads one file",
    "kstream/web/static/kstream.d.ts": "its types, most of them made (docs/make_schemas.py)",
}


def test_no_file_is_longer_than_a_room_may_be() -> None:
    tops = ("kstream", "simulator", "loadtest", "tests", "js")
    found = {
        str(path.relative_to(ROOT)): path.read_bytes().count(b"\n")
        for top in tops
        for end in ("py", "js", "mjs", "ts", "css")
        for path in (ROOT / top).rglob(f"*.{end}")
        if "node_modules" not in path.parts
    }
    assert {name for name, lines in found.items() if lines >= 400} == set(LONG)
