"""One readable line for each message, for a person at a terminal (`kstream tail`)."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TextIO

from kstream.core.client.state import Message
from kstream.core.visible import visible

_RESET = "\x1b[0m"
_COLOURS = {
    "red": "\x1b[31m",
    "green": "\x1b[32m",
    "yellow": "\x1b[33m",
    "blue": "\x1b[36m",
    "dim": "\x1b[2m",
}
_SIGNS = {"ADDED": ("+", "green"), "MODIFIED": ("~", "yellow"), "DELETED": ("-", "red")}
_GOOD = frozenset(("Running", "Completed", "Succeeded", "Ready", "Active"))
_PASSING = frozenset(
    ("Pending", "ContainerCreating", "PodInitializing", "Terminating", "NotReady", "SchedulingDisabled")
)
_NAME, _STATUS, _LABEL = 44, 20, 10


@dataclass(frozen=True, slots=True)
class Renderer:
    """`width`: columns at which a line is cut, None for no limit; `colour`: whether ANSI colours are used."""

    width: int | None = None
    colour: bool = False

    @classmethod
    def for_stream(cls, stream: TextIO, environ: Mapping[str, str] = os.environ) -> Self:
        """Colours and a width on a terminal only; NO_COLOR (no-color.org) and TERM=dumb turn colours off."""
        if not stream.isatty():
            return cls()
        colour = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        return cls(width=max(shutil.get_terminal_size((120, 24)).columns, 40), colour=colour)

    def line(self, message: Message) -> str:
        """The message in one line, without a line end. Any message will do: what is missing is left out."""
        parts = [(f"{_clock(message)} ", "dim"), *_parts(message)]
        out, left = [], self.width
        for text, colour in parts:
            text = visible(text)
            if left is not None:
                if len(text) > left:
                    text = text[: max(left - 1, 0)] + "…" if left else ""
                left -= len(text)
            out.append(f"{_COLOURS[colour]}{text}{_RESET}" if self.colour and colour and text else text)
        return "".join(out).rstrip() if not self.colour else "".join(out)


Part = tuple[str, str]  # text and colour, "" for none


def _parts(message: Message) -> list[Part]:
    kind = str(message.get("type"))
    match kind:
        case "node_event" | "pod_event" | "namespace_event":
            return _event(message, kind.removesuffix("_event"))
        case "connection":
            return _connection(message)
        case "initial_state":
            return [(_label("state"), "blue"), (_state(message), "")]
        case "batch":
            return _batch(message)
        case "metrics":
            return [(_label("metrics"), "dim"), (_metrics(_object(message, "data")), "dim")]
        case "error":
            error = _object(message, "error")
            details = f" ({error['details']})" if error.get("details") else ""
            return [
                (_label("error"), "red"),
                (f"{error.get('code', '')}  ", "red"),
                (f"{error.get('message', '')}{details}", ""),
            ]
        case "playback":
            data = _object(message, "data")
            speed = data.get("speed", "?")
            shown = f"{speed:g}" if isinstance(speed, float) else speed
            text = f"{data.get('state', '')}  at {data.get('at', '?')}  speed {shown}"
            return [(_label("playback"), "blue"), (text, "")]
        case "cleared":
            return [(_label("cleared"), "green"), (f"{message.get('fault', '')} is over", "")]
        case "pong":
            return [(_label("pong"), "dim")]
        case _:
            return [(_label(kind), "dim"), ("(not known to this version)", "dim")]


def _connection(message: Message) -> list[Part]:
    cluster = _object(message, "cluster")
    status = str(message.get("status", ""))
    text = f"{cluster.get('name', 'unknown')}  {cluster.get('version', '')}"
    if message.get("source"):
        text += f"  {message['source']}"
    if message.get("resumed"):
        text += "  resumed"
    if message.get("reason"):
        text += f"  ({message['reason']})"
    if status != "connected":
        text += "  what is shown is stale"
    return [(_label(status), "green" if status == "connected" else "yellow"), (text, "")]


def _state(message: Message) -> str:
    data = _object(message, "data")
    counts = [_several(data.get(kind), kind[:-1]) for kind in ("nodes", "pods", "namespaces")]
    # Without a number it is the first part of a state too large for one message (PROTOCOL 4).
    return f"{', '.join(counts)}{_at(message) or '  (more pods follow)'}"


def _batch(message: Message) -> list[Part]:
    events = [event for event in _list(message.get("data")) if isinstance(event, Mapping)]
    actions = Counter(str(event.get("action")) for event in events)
    parts: list[Part] = [(_label("batch"), "blue"), (f"{_several(events, 'event')}{_at(message)}", "")]
    for action, (sign, colour) in _SIGNS.items():
        if actions[action]:
            parts.append((f"  {sign}{actions[action]}", colour))
    for event in events[:20]:
        sign, colour = _SIGNS.get(str(event.get("action")), ("?", ""))
        data = _object(event, "data")
        parts.append((f"  {sign}", colour))
        parts.append((f"{_full_name(data)} {data.get('status', '')}".rstrip(), ""))
    return parts


def _event(message: Message, kind: str) -> list[Part]:
    data = _object(message, "data")
    sign, colour = _SIGNS.get(str(message.get("action")), ("?", ""))
    status = str(data.get("status", ""))
    rest = ""
    if kind == "pod" and status:
        containers = [item for item in _list(data.get("containers")) if isinstance(item, Mapping)]
        ready = sum(item.get("ready") is True for item in containers)
        rest = f"{ready}/{len(containers)}  {data.get('nodeName') or '<none>'}"
    elif kind == "node" and status:
        rest = str(data.get("role", ""))
    return [
        (f"{sign} ", colour),
        (f"{kind:{_LABEL - 2}}  ", ""),
        (f"{_full_name(data):{_NAME}}  ", ""),
        (f"{status:{_STATUS}}  ", _tone(status)),
        (rest, ""),
    ]


def _tone(status: str) -> str:
    words = set(status.split(","))
    if not status or words <= _GOOD:
        return "green"
    return (
        "yellow"
        if words <= _GOOD | _PASSING or (status.startswith("Init:") and status[5:6].isdigit())
        else "red"
    )


def _metrics(data: Mapping[str, Any]) -> str:
    nodes = f"nodes {data.get('readyNodes', '?')}/{data.get('totalNodes', '?')} ready"
    pods = "  ".join(f"{name} {data.get(f'{name}Pods', '?')}" for name in ("running", "pending", "failed"))
    return f"{nodes}  pods {data.get('totalPods', '?')}:  {pods}"


def _clock(message: Message) -> str:
    """The time of day of the timestamp, in its own zone (UTC): a reader compares lines, not days."""
    stamp = str(message.get("timestamp", ""))
    _, found, time = stamp.partition("T")
    return (time.rstrip("Z") if found else stamp)[:12].ljust(12)


def _at(message: Message) -> str:
    return f"  seq {message['seq']}" if "seq" in message else ""


def _label(text: str) -> str:
    return f"{text:{_LABEL}}  "


def _full_name(data: Mapping[str, Any]) -> str:
    name = str(data.get("name", data.get("uid", "?")))
    return f"{data['namespace']}/{name}" if data.get("namespace") else name


def _several(items: Any, noun: str) -> str:
    count = len(_list(items))
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _object(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = message.get(name)
    return value if isinstance(value, Mapping) else {}
