"""Every block has a language, and every language somebody who tries it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.blocks import CHECKERS, Block, blocks, of, prose, read

# What a line of a shell begins with; in a picture or an output it would be a command that nobody tries. Words that are
# wrapped in a text are further in.
_COMMAND = re.compile(r"^(\$ |(kstream|make|pip|python|curl|kubectl|docker|helm|npm|node) )", re.MULTILINE)


@pytest.mark.parametrize("block", blocks(), ids=str)
def test_a_block_has_a_language_that_a_test_takes(block: Block) -> None:
    assert block.tag, f"{block}: say what it is, `text` for what is no language"
    assert block.tag in CHECKERS, (
        f"{block}: no test takes {block.tag!r}; those of {sorted(CHECKERS)} are taken"
    )


@pytest.mark.parametrize(("tag", "file"), CHECKERS.items())
def test_the_test_that_takes_a_language_is_there(tag: str, file: str) -> None:
    assert f'"{tag}"' in Path(__file__).with_name(file).read_text("utf-8")


@pytest.mark.parametrize("block", of("text"), ids=str)
def test_text_hides_no_command(block: Block) -> None:
    assert not _COMMAND.findall(block.text), f"{block}: commands are for `sh`, where they are run"


PAGE = """\
Before `a`.

```sh
one
  two
```
1. In a list:

   ~~~~
   ```
   deep
   ~~~~
After `b`.
"""


def test_blocks_are_read_with_their_page_line_and_language() -> None:
    assert list(read("p.md", PAGE)) == [
        Block("p.md", 4, "sh", "one\n  two\n"),
        Block("p.md", 10, "", "```\ndeep\n"),
    ]


def test_prose_is_what_is_not_in_blocks_and_keeps_its_lines() -> None:
    lines = prose(PAGE).splitlines()
    assert [line for line in lines if line] == ["Before `a`.", "1. In a list:", "After `b`."]
    assert lines.index("After `b`.") == PAGE.splitlines().index("After `b`.")


def test_a_block_that_does_not_end_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"p\.md:2: a block begins here"):
        list(read("p.md", "text\n```sh\nmake\n"))
