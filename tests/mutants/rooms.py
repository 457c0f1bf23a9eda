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
    Room("kstream/web/static/kstream.js", ("client", "filter", "state", "model")),  # of tests/js
)


def room_of(path: str) -> Room:
    """The innermost. Raises LookupError for a file that no room holds."""
    held = [room for room in ROOMS if path == room.path or path.startswith(room.path + "/")]
    if not held:
        raise LookupError(f"{path}: no room; the rooms are {', '.join(room.path for room in ROOMS)}")
    return max(held, key=lambda room: len(room.path))


def files_in(paths: Iterable[str]) -> list[str]:
    """The Python files, and kstream.js, in or below `paths` (as they are seen from the root of the project).

    Raises LookupError for a path that does not exist."""
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
    return list(dict.fromkeys(found))
