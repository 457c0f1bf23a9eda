"""What the commands that make a file have in common: the span, the signals, and what a terminal is told."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from kstream.commands import statusline
from kstream.commands.log.writing import interruptible, span, told
from kstream.core.errors import UsageError

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (None, None, (None, None)),
        ("seq:5", None, (5, None)),
        (None, "seq:5", (None, 5)),
        ("+0s", "-0s", (4, 539)),
        ("seq:0", "seq:0", (0, 0)),
        ("2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z", (0, 539)),
    ],
)
def test_a_span_is_between_two_events(
    start: str | None, end: str | None, found: tuple[int | None, ...]
) -> None:
    assert span(INCIDENT, start, end) == found


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (
            "seq:9",
            "seq:5",
            "--from seq:9 --to seq:5: the span ends, after event 5, before it begins, after event 9",
        ),
        ("soon", None, "--from"),
        (None, "seq:540", "--to: 'seq:540': the last one is seq:539"),
    ],
)
def test_a_span_that_is_none_is_wrong_usage(start: str | None, end: str | None, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        span(INCIDENT, start, end)
    assert says in str(caught.value)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_breaks_it_off_as_ctrl_c_does(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interruptible():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_nohup_is_obeyed() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(("of", "whole"), [(10_001, " of 10,001"), (None, "")])
@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_is_told_how_far_it_is_and_its_line_is_cleared(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, of: int | None, whole: str
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setattr(statusline, "show", shown.append)
    with interruptible():
        assert list(told(range(10_001), of)) == list(range(10_001))
    assert shown == (
        [f"0{whole} events", f"5,000{whole} events", f"10,000{whole} events", ""] if terminal else []
    )
