"""What a page names between its blocks is there."""

from __future__ import annotations

import pytest

from kstream.commands.keys import HELP
from tests.docs.blocks import ROOT, pages
from tests.docs.blocks import name as page_name
from tests.docs.names import (
    ELSEWHERE,
    all_options,
    command_in,
    exists,
    is_path,
    module,
    options_in,
    options_of,
    spans,
    targets,
)

SPANS = spans()
PAGES = [page_name(page) for page in pages()]
# Of other programs.
FOREIGN_OPTIONS = {
    "--bump-revision": "etcdutl snapshot restore",
    "--mark-compacted": "etcdutl snapshot restore",
    "--strict": "mypy's",
    "--output-watch-events": "kubectl's",
    "--show-managed-fields": "kubectl's",
}


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_a_page_names_are_there(page: str) -> None:
    named = {span.text for span in SPANS if span.page == page and is_path(span.text)}
    assert [path for path in sorted(named - set(ELSEWHERE)) if not exists(page, path)] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_that_a_page_names_have_the_options_that_it_names(page: str) -> None:
    for span in SPANS:
        if span.page != page:
            continue
        command = command_in(span.text) if span.text.startswith("kstream ") else None
        known = all_options() | set(FOREIGN_OPTIONS) if command is None else options_of(command)
        assert set(options_in(span.text)) <= known, str(span)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_tells_to_make_and_to_python_is_there(page: str) -> None:
    for span in SPANS:
        words = span.text.split()
        if span.page != page or len(words) < 2:
            continue
        if words[0] == "make":
            assert words[1] in targets(), str(span)
        if words[0] == "pytest" or (words[0] == "python" and words[1].endswith(".py")):
            assert exists(page, words[1]), str(span)
        if words[:2] == ["python", "-m"]:
            path = module(words[2])
            assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), str(span)


def test_what_is_elsewhere_is_still_named() -> None:
    named = {span.text for span in SPANS}
    assert set(ELSEWHERE) <= named


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("kstream/web/ws.py", True),
        ("core/kube/", True),
        ("ws.py", True),
        ("controllers/", True),
        ("kstream/web/", True),
        (".ci/run", True),
        ("kstream/web/wss.py", False),
        ("core/kube/ws.py", False),
        ("kubernetes.py", False),
        ("nowhere/", False),
        ("tests/nowhere", False),
    ],
)
def test_a_path_is_found_or_not(path: str, there: bool) -> None:
    assert is_path(path)
    assert exists("docs/README.md", path) is there


@pytest.mark.parametrize(
    "text", ["/livez", "/api/state", "kubernetes.io/role", "kstream.client.Client", "client.state", "a/b"]
)
def test_what_is_no_path_is_not_looked_for(text: str) -> None:
    assert not is_path(text)


def test_the_keys_of_a_replay_are_on_its_page() -> None:
    page = " ".join((ROOT / "docs" / "replay.md").read_text("utf-8").replace("`", "").split())
    assert HELP.removeprefix("keys: ") in page
