"""What the glance says in words: the state of the connection, the tiles, the lines of the lists, ages.

Where a time is asked for it is that of the timeline, in seconds since the Unix epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from kstream.client import Link, Status
from kstream.core.client.state import ClientState
from kstream.core.timeline.wellness import Badness
from kstream.core.visible import visible
from kstream.top.board import Board, By, Row, Trouble
from kstream.top.spans import LETTERS, TONES, WORDS, Line, Span, cut

_SOURCES: Final = {"live": "live", "replay": "replay", "simulate": "simulation"}
_STATES: Final = {"playing": "▶", "paused": "⏸", "ended": "■", "live": "●"}


class Column(NamedTuple):
    title: str
    width: int  # characters; 0: what is left


def header(state: ClientState, status: Status, *, time: float | None, wait: float) -> Line:
    """One line: which cluster, whether what is shown is true, and as of when. `wait`: seconds until the next attempt
    to connect."""
    connection = state.connection or {}
    cluster = connection.get("cluster")
    named = cluster if isinstance(cluster, Mapping) else {}
    line = [
        Span(visible(str(named.get("name") or "no cluster yet")), "title"),
        Span(f" {visible(str(named.get('version') or ''))}"),
    ]
    source = str(connection.get("source") or "")
    if source:
        line.append(Span(f" {_SOURCES.get(source, visible(source))}", "quiet"))
    line.append(Span("  "))
    line.append(_link(state, status, wait))
    line += _playing(state)
    if time is not None:
        line.append(Span(f"  {clock(time)}", "title"))
    if state.as_of is not None and (state.playback or {}).get("state", "live") == "live":
        line.append(Span(f"  as of {visible(state.as_of[11:19])}", "quiet"))
    return line


def problem(state: ClientState, status: Status) -> Line | None:
    """What is wrong and what is done about it; None when nothing is."""
    if status.link in (Link.WAITING, Link.CONNECTING) and status.reason:
        often = f" {status.failed} attempts failed; trying goes on." if status.error is not None else ""
        return [
            Span(
                f"The server is gone: {_sentence(visible(status.reason))}{often} What is shown is old.", "bad"
            )
        ]
    if status.link is Link.CLOSED and status.reason:
        return [Span(visible(status.reason), "bad")]
    wrong = list(state.faults.values()) or ([state.error] if state.error is not None else [])
    if not wrong:
        return None
    said = [_said(each) for each in wrong]
    return [Span("; ".join(said), "bad")]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _said(error: Mapping[str, Any]) -> str:
    details = f" ({error['details']})" if error.get("details") else ""
    return visible(f"{error.get('code', 'error')}: {error.get('message', '')}{details}")


def _link(state: ClientState, status: Status, wait: float) -> Span:
    if status.link is Link.WAITING:
        return Span(f"[reconnecting in {max(wait, 0):.0f} s]", "bad")
    if status.link is Link.CONNECTING:
        return Span("[connecting]", "wait")
    if status.link is Link.CLOSED:
        return Span("[not connected]", "bad")
    if (state.connection or {}).get("status") == "reconnecting":
        return Span("[stale: the server has lost the cluster]", "wait")
    if state.stale:
        return Span("[waiting for a state]", "wait")
    if any(fault.startswith("permission:") for fault in state.faults):
        return Span("[connected in part]", "wait")
    return Span("[connected]", "good")


def _playing(state: ClientState) -> Line:
    playback = state.playback
    if playback is None:
        return []
    now, speed = str(playback.get("state")), playback.get("speed")
    shown = f"{speed:g}x" if isinstance(speed, int | float) else visible(str(speed))
    tone = "good" if now in ("live", "playing") else "wait"
    return [Span(f"  {_STATES.get(now, '')} {visible(now)} {shown}", tone)]


def tiles(board: Board, state: ClientState, rate: int) -> Line:
    """One line of counts. `rate`: events of the last minute."""
    if not state.loaded:
        return [Span("No state has come yet.", "wait")]
    ready, nodes = board.ready, len(board.nodes)
    line = [
        Span("nodes ", "quiet"),
        Span(f"{ready:,}/{nodes:,} ready", "good" if ready == nodes else "bad"),
        Span("  pods ", "quiet"),
        Span(f"{len(board.pods):,}"),
    ]
    for badness, word in zip(reversed(Badness), reversed(WORDS), strict=True):
        count = board.tones[badness]
        if count or badness in (Badness.NONE, Badness.FAILING):
            tone = TONES[badness] if count else "quiet"
            line += [Span("  "), Span(f"{LETTERS[badness]} {count:,} {word}", tone)]
    line += [Span("  namespaces ", "quiet"), Span(f"{len(state.namespaces):,}")]
    line += [Span("  events/min ", "quiet"), Span(f"{rate:,}")]
    return line


def trouble(one: Trouble) -> Line:
    """A line of the list of the worst."""
    number = f"{one.number:,}x " if one.number > 1 else ""
    return [
        Span(f"{LETTERS[one.badness]} {number}{visible(one.status or 'no status yet')}", TONES[one.badness]),
        Span(f"  {visible(one.subject)}"),
    ]


def columns(by: By) -> Sequence[Column]:
    """Of the table; what it is ordered by comes first."""
    node, space = Column("NODE", 16), Column("NAMESPACE", 14)
    rest = (Column("READY", 6), Column("STATUS", 20), Column("RESTARTS", 8), Column("AGE", 7))
    if by is By.NODE:
        return (node, space, Column("NAME", 0), *rest)
    if by is By.NAMESPACE:
        return (space, Column("NAME", 0), *rest, node)
    return (Column("OWNER", 30), Column("NAME", 0), *rest, node)


def table_line(row: Row, data: Mapping[str, Any], by: By, width: int, *, time: float | None) -> Line:
    """A pod. `data`: as it came."""
    containers = [each for each in _list(data.get("containers")) if isinstance(each, Mapping)]
    ready = sum(each.get("ready") is True for each in containers)
    restarts = [each["restartCount"] for each in containers if isinstance(each.get("restartCount"), int)]
    texts = {
        "NODE": row.node,
        "NAMESPACE": row.namespace,
        "OWNER": row.owner,
        "NAME": row.name,
        "READY": f"{ready}/{len(containers)}",
        "STATUS": f"{LETTERS[row.badness]} {row.status}",
        "RESTARTS": str(sum(restarts)),
        "AGE": age_of(data, time),
    }
    return [
        Span(
            f"{cut(visible(texts[title]), wide).ljust(wide)} ",
            TONES[row.badness] if title == "STATUS" else "",
        )
        for title, wide in _fitted(by, width)
    ]


def table_head(by: By, width: int) -> Line:
    return [Span(" ".join(cut(title, wide).ljust(wide) for title, wide in _fitted(by, width)), "quiet")]


def _fitted(by: By, width: int) -> list[tuple[str, int]]:
    """Those columns that there is room for, the name with what is left; what says least goes first."""
    chosen = list(columns(by))
    first = chosen[0].title
    # What it is ordered by stays while anything else can go, and some of the name can be read.
    goes = [each for each in ("AGE", "READY", "NODE", "RESTARTS", "NAMESPACE", "OWNER") if each != first]
    for title, enough in [*((each, 24) for each in goes), (first, 10)]:
        if _left(chosen, width) >= enough:
            break
        chosen = [each for each in chosen if each.title != title]
    return [(title, wide or max(_left(chosen, width), 8)) for title, wide in chosen]


def _left(chosen: Sequence[Column], width: int) -> int:
    """For the name."""
    return width - sum(wide + 1 for _, wide in chosen)


def age_of(data: Mapping[str, Any], time: float | None) -> str:
    created = seconds_of(data.get("creationTimestamp"))
    return "" if created is None or time is None else age(time - created)


def seconds_of(stamp: object) -> float | None:
    """Seconds since the Unix epoch of a timestamp; None for what is none."""
    try:
        return datetime.fromisoformat(stamp).timestamp() if isinstance(stamp, str) else None
    except (ValueError, OverflowError):
        return None


def age(seconds: float) -> str:
    """As kubectl prints it: `42s`, `5m10s`, `3h12m`, `2d4h`, `12d`."""
    total = max(int(seconds), 0)
    minutes, hours, days = total // 60, total // 3600, total // 86400

    def and_also(rest: int, unit: str) -> str:
        return f"{rest}{unit}" if rest else ""

    if total < 120:
        return f"{total}s"
    if minutes < 10:
        return f"{minutes}m{and_also(total % 60, 's')}"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{and_also(minutes % 60, 'm')}"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{and_also(hours % 24, 'h')}"
    return f"{days}d"


def clock(time: float) -> str:
    """`2026-01-24 10:00:00 UTC`."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
