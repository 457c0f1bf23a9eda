"""Whether an API server that was away answers again, asked cheaply: nobody has to wait out a back-off for it."""

from __future__ import annotations

from typing import Final

from kstream.ports import Clock
from kstream.sources.apiserver import FAILURES, ApiServer
from kstream.sources.watch import within

EVERY: Final = 2.0  # seconds between two questions
_WITHIN: Final = 5.0  # seconds for an answer


class Outage:
    """Asks `/readyz`, which a server answers well only when it can be used; a refusal is an answer, too."""

    def __init__(self, api: ApiServer, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._seen = False

    async def over(self) -> None:
        """Return when the server answers after it was seen not to. One that answers all along does not end anything:
        what goes wrong with it is something else, and asking for that more often would not help."""
        while not await self.ended():
            pass

    async def ended(self) -> bool:
        """Ask once, in `EVERY` seconds."""
        await self._clock.sleep(EVERY)
        answers = await self._answers()
        ended, self._seen = answers and self._seen, not answers
        return ended

    async def _answers(self) -> bool:
        try:
            return await within(self._clock, _WITHIN, self._status()) < 500
        except FAILURES:
            return False

    async def _status(self) -> int:
        async with await self._api.ask("GET", "/readyz") as response:
            return response.status
