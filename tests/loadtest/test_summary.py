from __future__ import annotations

from loadtest.summary import summary


def row(
    kind: str, name: str, count: int = 10, *, half: str = "20", most: str = "90", failed: int = 0
) -> dict[str, str]:
    return {
        "Type": kind,
        "Name": name,
        "Request Count": str(count),
        "Failure Count": str(failed),
        "50%": half,
        "99%": most,
    }


def test_it_says_what_viewers_did_and_how_long_the_state_took() -> None:
    rows = [
        row("Viewer", "seek", 7),
        row("Follower", "seek", 3, half="30", most="200"),
        row("Follower", "follow", 4),
    ]
    lines = summary(rows)
    assert lines[0].startswith("viewers made 10 seeks, 0 steps")
    assert "followed 4 times" in lines[0]
    assert "come later" not in lines[0]
    assert "the state after a seek: p50 20 ms, p99 90 ms" in lines, "that of those who made most of them"


def test_it_says_how_many_were_told_to_come_later_and_how_many_connections_were_cut() -> None:
    lines = summary([row("Viewer", "seek"), row("Viewer", "refused", 3), row("Normal", "lost", 5)])
    assert lines[0].endswith("; 3 were told to come later")
    assert lines[-1].startswith("5 connections were cut")


def test_it_says_what_was_compared_and_what_differed() -> None:
    rows = [
        row("Viewer", "seek"),
        row("Viewer", "state at seq", 30, failed=1),
        row("Viewer", "span", 12, failed=2),
    ]
    assert any("30 states" in line and "12 spans" in line and "3 differ" in line for line in summary(rows))


def test_live_clients_beside_viewers_are_compared_with_live_clients_alone() -> None:
    live = [
        row("Normal", "event, alone"),
        row("Normal", "event, beside", half="25", most="99"),
        row("SlowReader", "event, beside", half="5000", most="9000"),
        row("", "Aggregated", half="1", most="1"),
    ]
    assert summary([row("Viewer", "seek"), *live])[-1] == (
        "an event to live clients: p50 20 ms, p99 90 ms while all are in the present,"
        " p50 25 ms, p99 99 ms (1.10 of it) beside viewers"
    )


def test_where_nobody_was_elsewhere_nothing_is_said() -> None:
    assert summary([row("Normal", "event"), row("Normal", "event, alone")]) == []
