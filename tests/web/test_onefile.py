"""The page as one file: everything is in it once, in order, and nothing else may run."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from kstream.web.onefile import STATIC, one_file

INDEX = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <link rel="icon" href="icon.svg">
  <link rel="stylesheet" href="one.css">
  <link rel="stylesheet" href="two.css">
  <script type="module" src="main.js"></script>
</head>
<body>
  <p>Here</p>
</body>
</html>
"""


def folder(path: Path, **modules: str) -> Path:
    for name, text in {
        "index.html": INDEX,
        "icon.svg": "<svg/>",
        "one.css": "p { color: red }\n",
        "two.css": "b { color: blue }\n",
        **{f"{name}.js": text for name, text in modules.items()},
    }.items():
        (path / name).write_text(text)
    return path


def of(page: str, tag: str) -> str:
    (found,) = re.findall(rf"<{tag}>(.*?)</{tag.split()[0]}>", page, re.DOTALL)
    return str(found)


def hashed(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_modules_styles_icon_and_recording_are_in_it_and_nothing_is_loaded(tmp_path: Path) -> None:
    static = folder(
        tmp_path,
        main='import { a, b as c } from "./lib-a.js";\nimport { d } from "./b.js";\nsay(a, c, d);\n',
        **{"lib-a": 'import { d } from "./b.js";\nexport const a = d;\nexport function b() {}\n'},
        b="export class d {}\nexport async function* e() {}\n".replace("async function*", "async function"),
    )
    page = one_file(static, b"\xff\x00recording").decode()
    assert of(page, 'script type="module"') == (
        "\nconst $b_js = (() => {\nclass d {}\nasync function e() {}\nreturn { d, e };\n})();\n"
        "const $lib_a_js = (() => {\nconst { d } = $b_js;\nconst a = d;\nfunction b() {}\nreturn { a, b };\n})();\n"
        "const { a, b: c } = $lib_a_js;\nconst { d } = $b_js;\nsay(a, c, d);\n"
    )
    assert of(page, "style") == "\np { color: red }\nb { color: blue }\n"
    assert (
        base64.b64decode(of(page, 'script type="application/kstream-recording" id="recording"'))
        == b"\xff\x00recording"
    )
    assert "data:image/svg+xml;base64," + base64.b64encode(b"<svg/>").decode() in page
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert page.endswith("</body>\n</html>\n")


@pytest.mark.parametrize("real", [True, False])
def test_only_that_script_and_that_style_may_run(tmp_path: Path, real: bool) -> None:
    page = one_file(STATIC if real else folder(tmp_path, main="say();\n"), b"").decode()
    policy = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    script = hashed(of(page, 'script type="module"'))
    assert policy == [
        f"default-src 'none'; script-src 'sha256-{script}';"
        f" style-src 'sha256-{hashed(of(page, 'style'))}'; img-src data:; base-uri 'none'; form-action 'none'"
    ]
    assert page.index("Content-Security-Policy") < min(page.index("<script"), page.index("<style"))


@pytest.mark.parametrize(
    ("main", "says"),
    [
        ('import x from "./b.js";\n', "main.js: 'import x from \"./b.js\";' cannot be joined"),
        ('import "./b.js";\n', "cannot be joined"),
        ('import * as b from "./b.js";\n', "cannot be joined"),
        ("export default 1;\n", "cannot be joined"),
        ('export { a } from "./b.js";\n', "cannot be joined"),
        ('import { a } from "./main.js";\n', "main.js imports main.js: modules cannot be joined in a circle"),
        ('say("</script>");\n', "'</' would end what it is in"),
        ('say("<!--");\n', "'<!--' would end what it is in"),
    ],
)
def test_what_cannot_be_joined_is_refused(tmp_path: Path, main: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        one_file(folder(tmp_path, main=main, b="export const a = 1;\n"), b"")


def test_a_page_without_a_module_is_refused(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "index.html").write_text("<body></body>")
    with pytest.raises(ValueError, match="has no <script"):
        one_file(tmp_path, b"")
