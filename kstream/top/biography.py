"""One object in full: its fields, and what happened to it, as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kstream.core.timeline.wellness import badness
from kstream.core.visible import json_text, visible
from kstream.top.spans import TONES, Line, Span, cut

_SHOWN: Final = 200  # versions; the newest
_LONGEST: Final = 300  # characters of a value
_MANY: Final = 200  # lines of a field that holds many


def fields(data: Mapping[str, Any]) -> list[Line]:
    """Each field of a resource, nested ones below their name."""
    lines: list[Line] = []
    for name, value in data.items():
        label = Span(f"{visible(str(name))}: ", "quiet")
        if isinstance(value, Mapping):
            inside = [
                f"{key}={each if isinstance(each, str) else json_text(each)}" for key, each in value.items()
            ]
            lines.append([label, *([] if inside else [Span("none")])])
            lines += [[Span(f"  {_short(each)}")] for each in inside[:_MANY]]
        elif isinstance(value, list):
            lines.append([label, *([] if value else [Span("none")])])
            lines += [[Span(f"  {_short(_item(each))}")] for each in value[:_MANY]]
        elif name == "status" and isinstance(value, str):
            lines.append([label, Span(_short(value), TONES[badness(value)])])
        else:
            lines.append([label, Span(_short(value if isinstance(value, str) else json_text(value)))])
    return lines


def history(versions: Sequence[Mapping[str, Any]]) -> list[Line]:
    """The newest first, of very many the newest alone."""
    lines: list[Line] = []
    for version in list(reversed(versions))[:_SHOWN]:
        action = str(version.get("action", ""))
        tone = {"ADDED": "good", "DELETED": "bad"}.get(action, "")
        head = [
            Span(f"{visible(str(version.get('time', '')))}  ", "quiet"),
            Span(f"{visible(action):8}", tone),
            Span(f"  seq {visible(str(version.get('seq', '?')))}", "quiet"),
        ]
        lines.append(head)
        changes = version.get("changes")
        lines += (
            [_change(each) for each in changes if isinstance(each, Mapping)]
            if isinstance(changes, list)
            else []
        )
    if len(versions) > _SHOWN:
        lines.append([Span(f"… {len(versions) - _SHOWN:,} earlier ones: kstream log history", "quiet")])
    return lines


def _change(change: Mapping[str, Any]) -> Line:
    before, after = (_value(change.get(name)) for name in ("before", "after"))
    tone = TONES[badness(str(change.get("after") or ""))] if change.get("path") == "status" else ""
    return [
        Span(f"    {_short(str(change.get('path', '')))}: ", "quiet"),
        Span(f"{before} → "),
        Span(after, tone),
    ]


def _value(value: object) -> str:
    return "none" if value is None else _short(value if isinstance(value, str) else json_text(value))


def _item(value: object) -> str:
    if isinstance(value, Mapping):
        return "  ".join(
            f"{key}={each if isinstance(each, str) else json_text(each)}" for key, each in value.items()
        )
    return value if isinstance(value, str) else json_text(value)


def _short(text: str) -> str:
    return cut(visible(text[: 2 * _LONGEST]), _LONGEST)
