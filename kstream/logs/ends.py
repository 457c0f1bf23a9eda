"""Which span of a recording is played: its ends, as a person gave them (PROTOCOL 27)."""

from __future__ import annotations

from kstream.core.errors import InvalidMessageError
from kstream.core.timeline.timepoint import timestamp
from kstream.logs.places import past, place, time_of
from kstream.ports import EventLog


async def ends_of(
    recording: EventLog, start: str | None, end: str | None
) -> tuple[tuple[float, float], tuple[int, float], tuple[int, float]]:
    """The times of the whole recording, and seq and time of either end of the span to play."""
    lower, upper = recording.oldest - 1, recording.head
    span = await time_of(recording, lower), await time_of(recording, upper)
    first, starts = await place(recording, start, span, field="from", otherwise=(lower, span[0]))
    ends = await place(recording, end, span, field="to", otherwise=(upper, span[1]))
    numbered = start is not None and start.startswith("seq:")
    if (starts > max(span) and not numbered) or past(recording, start):
        raise InvalidMessageError(
            "The recording ends before that", f"from: {start!r} is after its end: {holds(recording, span)}"
        )
    # Before its beginning there is nothing to wait for.
    return span, (first, max(starts, min(span))), ends


def holds(recording: EventLog, span: tuple[float, float]) -> str:
    """What there is to replay, for whoever asked for something else."""
    if recording.head < recording.oldest:
        return f"the log has no events, only the state of {timestamp(span[1])}"
    return (
        f"the log has {timestamp(min(span))} to {timestamp(max(span))}"
        f" (seq:{recording.oldest} to seq:{recording.head})"
    )
