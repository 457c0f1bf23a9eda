"""Whether a run was good: Locust's statistics against thresholds."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple


class Threshold(NamedTuple):
    """For all requests of a name, over all kinds of users."""

    name: str
    quantile: str  # a column of Locust's CSV: "50%", "99%"
    milliseconds: float
    at_least: int  # requests; fewer of them means that nothing was tested


THRESHOLDS = (
    Threshold("connect", "99%", 2000, 1),
    Threshold("state", "99%", 5000, 1),
    Threshold("event", "50%", 250, 100),
    Threshold("ping", "99%", 1000, 1),
    Threshold("same state", "99%", 15000, 1),
)
VIEWED = (
    Threshold("seek", "99%", 5000, 10),
    Threshold("step", "99%", 5000, 1),
    Threshold("home", "99%", 5000, 1),
    Threshold("follow", "99%", 5000, 1),
    Threshold("shown", "50%", 1000, 100),
    Threshold("state at seq", "99%", 10000, 10),
    Threshold("span", "99%", 10000, 10),
    Threshold("event, beside", "50%", 250, 100),
)
"""Of a run with viewers, beside those."""
# Those who do not read, or are busy flooding, see events late by their own doing.
_LATE_BY_CHOICE = ("SlowReader", "Flooder", "Herd")


class Line(NamedTuple):
    good: bool
    text: str


def read(path: Path) -> list[dict[str, str]]:
    """The rows of Locust's `…_stats.csv`."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def judge(rows: Iterable[Mapping[str, str]], thresholds: Iterable[Threshold] = THRESHOLDS) -> list[Line]:
    """One line for each threshold, and one for failures of any request."""
    rows = [row for row in rows if row["Name"] != "Aggregated"]
    lines = []
    for name, quantile, limit, at_least in thresholds:
        mine = [
            row
            for row in rows
            if row["Name"] == name and not (name.startswith("event") and row["Type"] in _LATE_BY_CHOICE)
        ]
        count = sum(int(row["Request Count"]) for row in mine)
        worst = max((float(row[quantile]) for row in mine if row[quantile] != "N/A"), default=float("nan"))
        good = count >= at_least and worst <= limit
        lines.append(
            Line(good, f"{name}: {count} times, {quantile} within {worst:.0f} ms (at most {limit:.0f})")
        )
    lines += [
        Line(False, f"{row['Type']} {row['Name']}: {row['Failure Count']} of {row['Request Count']} failed")
        for row in rows
        if int(row["Failure Count"])
    ]
    return lines
