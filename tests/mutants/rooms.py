"""Which tests judge which rooms: their own ones, and no others. What only a far test notices is noticed by luck."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]


class Room(NamedTuple):
    path: str
    tests: tuple[str, ...]  # the near ones first


ROOMS: Final = (
    Room("kstream/core/kube", ("tests/core/kube",)),
    Room("kstream/core/watching", ("tests/core/watching",)),
    Room("kstream/core/timeline", ("tests/core/timeline",)),
    Room("kstream/core/delivery", ("tests/core/delivery",)),
    Room("kstream/core/client", ("tests/core/client", "tests/client")),
    Room("kstream/core", ("tests/core",)),
    Room("kstream/delivery", ("tests/delivery", "tests/web")),
    Room("kstream/logs", ("tests/logs",)),
    Room("kstream/web", ("tests/web", "tests/conformance", "tests/delivery")),
    Room("kstream/web/static/kstream.js", ("client", "filter", "state", "changes", "model")),  # of tests/js
    Room("kstream/processlog", ("tests/processlog",)),
    Room("kstream/sources", ("tests/sources",)),
    Room("kstream/workers", ("tests/workers",)),
    Room(
        "kstream/commands",
        ("tests/commands", "tests/test_terminal.py", "tests/test_cli.py"),
    ),
    Room("simulator/cluster", ("tests/simulator/cluster",)),
    Room("simulator/story", ("tests/simulator/story",)),
    Room("simulator/apiserver", ("tests/simulator/apiserver",)),
    Room("simulator", ("tests/simulator",)),
)


def room_of(path: str) -> Room:
    """The innermost; of a module that is in none, its own test file. Raises LookupError for what has neither."""
    held = [room for room in ROOMS if path == room.path or path.startswith(room.path + "/")]
    if held:
        return max(held, key=lambda room: len(room.path))
    own = f"tests/test_{Path(path).name}"
    if path.startswith("kstream/") and path.endswith(".py") and (ROOT / own).is_file():
        return Room(path, (own,))
    raise LookupError(
        f"{path}: nothing says which tests judge it; the rooms are {', '.join(room.path for room in ROOMS)}, and each"
        " module of kstream/ that has a test file of its name"
    )


def files_in(paths: Iterable[str]) -> list[str]:
    """The Python files, and kstream.js, in or below `paths` (as they are seen from the root of the project).

    Raises LookupError for a path that does not exist, and for a file that nothing judges."""
    found: list[str] = []
    for given in paths:
        path = ROOT / given
        if path.is_file():
            found.append(str(path.relative_to(ROOT)))
        elif path.is_dir():
            found += [
                str(file.relative_to(ROOT)) for file in sorted(path.rglob("*.py")) if file.stat().st_size
            ]
            found += [str(file.relative_to(ROOT)) for file in sorted(path.rglob("kstream.js"))]
        else:
            raise LookupError(f"{given}: no such file or folder, seen from {ROOT.name}/")
    for each in found:
        room_of(each)
    return list(dict.fromkeys(found))
