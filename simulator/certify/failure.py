"""What a client does that it must not: for the report, and for whoever has to mend it."""

from __future__ import annotations

from collections.abc import Sequence

from kstream.core.errors import KstreamError


class FailedError(KstreamError):
    """`about` is the kind of thing (one of `report.REMEDIES`), `lines` are the particulars."""

    def __init__(self, about: str, what: str, lines: Sequence[str] = ()) -> None:
        super().__init__(what)
        self.about = about
        self.lines = tuple(lines)
