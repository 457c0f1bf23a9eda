"""What viewers did and saw in a run, in words, from Locust's statistics; what live clients saw beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_LIVE = ("Normal", "Narrow")  # who reads all the time, in the present


def summary(rows: Iterable[Mapping[str, str]]) -> list[str]:
    """Lines for people; none when nobody was elsewhere. `rows`: those of Locust's `…_stats.csv`."""
    rows = [row for row in rows if row["Name"] != "Aggregated"]

    def count(name: str, column: str = "Request Count") -> int:
        return sum(int(row[column]) for row in rows if row["Name"] == name)

    def quantiles(name: str, kinds: tuple[str, ...] = ()) -> tuple[float, float] | None:
        """The median and the 99th percentile in ms, of the kind of users that has most of them."""
        mine = [
            row
            for row in rows
            if row["Name"] == name and row["50%"] != "N/A" and (not kinds or row["Type"] in kinds)
        ]
        if not mine:
            return None
        most = max(mine, key=lambda row: int(row["Request Count"]))
        return float(most["50%"]), float(most["99%"])

    if not count("seek"):
        return []
    lines = [
        f"viewers made {count('seek')} seeks, {count('step')} steps, {count('speed')} changes of speed and"
        f" {count('pause')} pauses, followed {count('follow')} times and came home {count('home')} times"
        + (f"; {count('refused')} were told to come later" if count("refused") else "")
    ]
    for name, what in (("seek", "the state after a seek"), ("shown", "an event is shown after it is due")):
        if (found := quantiles(name)) is not None:
            lines.append(f"{what}: p50 {found[0]:.0f} ms, p99 {found[1]:.0f} ms")
    wrong = count("state at seq", "Failure Count") + count("span", "Failure Count")
    lines.append(
        f"{count('state at seq')} states were compared with /api/state at their seq, {count('span')} spans with"
        f" /api/events: {wrong} differ"
    )
    alone, beside = (quantiles(f"event, {which}", _LIVE) for which in ("alone", "beside"))
    if alone is not None and beside is not None:
        ratio = f" ({beside[1] / alone[1]:.2f} of it)" if alone[1] else ""
        lines.append(
            f"an event to live clients: p50 {alone[0]:.0f} ms, p99 {alone[1]:.0f} ms while all are in the present,"
            f" p50 {beside[0]:.0f} ms, p99 {beside[1]:.0f} ms{ratio} beside viewers"
        )
    if lost := count("lost"):
        lines.append(f"{lost} connections were cut, and {count('connect')} made")
    return lines
