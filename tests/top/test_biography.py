"""One object in full."""

from __future__ import annotations

from kstream.top.biography import fields, history
from kstream.top.spans import Span
from tests.top.drawn import text_of
from tests.top.feeds import pod


def test_each_field_is_a_line_and_what_is_nested_is_below_its_name() -> None:
    data = pod("a-1", "Error", node=None) | {
        "labels": {"app": "a\x1b[2J"},
        "odd": ["x", 1],
        "none": {},
        "empty": [],
    }
    lines = [text_of(line) for line in fields(data)]
    assert "nodeName: null" in lines
    assert lines[lines.index("containers: ") + 1] == "  name=main  image=i  ready=false  restartCount=2"
    assert lines[lines.index("labels: ") + 1] == r"  app=a\u001b[2J"
    assert lines[lines.index("odd: ") + 1 :][:2] == ["  x", "  1"]
    assert "none: none" in lines
    assert "empty: none" in lines
    assert [Span("status: ", "quiet"), Span("Error", "bad")] in fields(data)


def test_what_is_very_long_is_cut() -> None:
    assert len(text_of(fields({"image": "x" * 5000})[0])) < 400
    assert len(fields({"labels": {str(number): "" for number in range(5000)}})) < 300


def test_the_newest_version_comes_first_with_what_changed() -> None:
    told = history(
        [
            {"seq": 1, "time": "10:00", "action": "ADDED", "changes": []},
            {
                "seq": 2,
                "time": "10:01",
                "action": "MODIFIED",
                "changes": [
                    {"path": "status", "before": "Running", "after": "Error"},
                    {"path": "nodeName", "before": None, "after": "n1"},
                    "nonsense",
                ],
            },
        ]
    )
    assert [text_of(line) for line in told] == [
        "10:01  MODIFIED  seq 2",
        "    status: Running → Error",
        "    nodeName: none → n1",
        "10:00  ADDED     seq 1",
    ]
    assert told[1][-1] == Span("Error", "bad")


def test_of_very_many_versions_the_newest_are_shown_and_the_others_counted() -> None:
    lines = history([{"seq": seq, "action": "MODIFIED"} for seq in range(1, 1501)])
    assert text_of(lines[0]).endswith("seq 1500")
    assert text_of(lines[-1]) == "… 1,300 earlier ones: kstream log history"
