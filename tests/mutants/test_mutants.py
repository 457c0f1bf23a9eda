"""The tool that changes the code: it changes what it says, and what it cannot read it refuses."""

from __future__ import annotations

import ast

import pytest

from tests.mutants.__main__ import _mutants
from tests.mutants.judged import FILE, Judgement, as_entry, named, read_judgements
from tests.mutants.mutation import apply, mutants_of
from tests.mutants.rooms import ROOMS, ROOT, files_in, room_of
from tests.node_tests import node

__all__ = ["node"]  # a fixture


def _changes(source: str) -> set[str]:
    return {mutant.after for mutant in mutants_of("a.py", source.encode())}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", {"x = a <= b"}),
        ("x = a is not b", {"x = a is b"}),
        ("x = a not in b", {"x = a in b"}),
        (
            "x = a and b or c",
            {
                "x = a or b or c",
                "x = a and b and c",
                "x = (a and b)",
                "x = (c)",
                "x = (a) or c",
                "x = (b) or c",
            },
        ),
        (
            "x = a or b or c",
            {
                "x = a and b or c",
                "x = a or b and c",
                *(f"x = (({p}) or ({q}))" for p, q in ("ab", "ac", "bc")),
            },
        ),
        ("x = not a", {"x = a"}),
        ("x = a + 1", {"x = a - 1", "x = a + 2"}),
        ("x += y", {"x -= y", "pass"}),
        ("x = y if a else z", {"x = y if True else z", "x = y if False else z"}),
        ("x = min(a, b)", {"x = max(a, b)"}),
        ("del x[a]", {"pass"}),
        ("f()", {"pass"}),
        ("x.y = a", {"pass"}),
        ("x = a", set()),
        (
            "match a:\n    case b if c:\n        d = e",
            {"case b if True:", "case b if False:"},
        ),
        ("try:\n    a = b\nexcept (A, B):\n    c = d", {"except (B,):", "except (A,):"}),
        ("x = 'Ready'", {"x = 'Readyx'"}),
        ("x = 'what people read'", set()),
        ("raise E('Ready', 3)", {"pass"}),
        (
            "def f(a: 'Ready' = 1) -> 'Ready':\n    'says'\n    return a",
            {"def f(a: 'Ready' = 2) -> 'Ready':", "return None"},
        ),
        ("x = (a  # not < here\n     < b)", {"<= b)"}),
        ("ä = 'ö' < b", {"ä = 'ö' <= b"}),
    ],
)
def test_a_line_is_changed_in_every_way_that_a_test_should_notice(source: str, expected: set[str]) -> None:
    assert _changes(source) == expected


def test_of_changes_that_read_the_same_each_has_its_number() -> None:
    source = "def f():\n    if a:\n        return b\n    if c:\n        return b\n"
    alike = [mutant for mutant in mutants_of("a.py", source.encode()) if mutant.after == "return None"]
    assert [(mutant.line, mutant.nth) for mutant in alike] == [(3, 1), (5, 2)]
    assert len({mutant.identity for mutant in alike}) == 2
    assert named("\n".join(map(as_entry, alike))) == {mutant.identity for mutant in alike}


def test_a_mutant_is_another_program_that_can_be_read() -> None:
    for path in files_in(["kstream/core"]):
        source = (ROOT / path).read_bytes()
        whole = ast.dump(ast.parse(source))
        for mutant in mutants_of(path, source)[::10]:
            assert ast.dump(ast.parse(apply(source, mutant))) != whole, mutant


def test_the_innermost_room_judges() -> None:
    assert room_of("kstream/core/kube/objects.py").tests == ("tests/core/kube",)
    assert room_of("kstream/core/errors.py").tests == ("tests/core",)
    assert room_of("kstream/web/static/kstream.js").tests == ("client", "filter", "state", "changes", "model")
    assert room_of("kstream/client.py").tests == ("tests/test_client.py",)
    for path in ("kstream/ports.py", "docs/make_commands.py"):
        with pytest.raises(
            LookupError, match=rf"{path}: nothing says which tests judge it; the rooms are kstream/core"
        ):
            room_of(path)
    with pytest.raises(LookupError, match=r"nothing says which tests judge it"):
        files_in(["kstream"])


def test_rooms_and_their_tests_exist() -> None:
    for room in ROOMS:
        assert files_in([room.path])
        for tests in room.tests:
            assert (ROOT / tests).exists() or (ROOT / f"tests/js/{tests}.test.mjs").is_file()


def test_a_path_that_is_not_there_is_named() -> None:
    with pytest.raises(LookupError, match="kstream/nowhere: no such file or folder"):
        files_in(["kstream/nowhere"])


def test_what_is_to_be_judged_is_written_as_it_is_read() -> None:
    [mutant] = mutants_of("a.py", b"x = \"it's\" < b'\\n'\n")
    entry = as_entry(mutant)
    assert named(entry) == {mutant.identity}
    judged = entry.replace('judged = ""', 'judged = "same"')
    with pytest.raises(ValueError, match="not file, where, before, after, judged and why"):
        read_judgements(judged)
    judged = judged.replace('why = ""', 'why = "because"')
    assert read_judgements(judged) == {mutant.identity: Judgement.SAME}
    with pytest.raises(ValueError, match="judged twice"):
        read_judgements(judged + judged)


@pytest.mark.node
def test_what_is_judged_of_javascript_is_still_in_the_code(node: str) -> None:
    judged = read_judgements(FILE.read_text())
    for path in {identity[0] for identity in judged if identity[0].endswith(".js")}:
        there = {mutant.identity for mutant in _mutants(path)}
        gone = {identity for identity in judged if identity[0] == path} - there
        assert not gone, f"no longer in the code; take out of {FILE.name}: {gone}"


def test_what_is_judged_is_still_in_the_code() -> None:
    """Of what changed since, nothing is known."""
    judged = read_judgements(FILE.read_text())
    for path in {identity[0] for identity in judged if identity[0].endswith(".py")}:
        found = {mutant.identity for mutant in mutants_of(path, (ROOT / path).read_bytes())}
        gone = {identity for identity in judged if identity[0] == path} - found
        assert not gone, f"no longer in the code; take out of {FILE.name}: {gone}"
