"""The control address of a log that is served as an API: `/api/playback`, as `kstream replay` has it (PROTOCOL 28)."""

from __future__ import annotations

from typing import Any, Final, Self

from aiohttp import web

from kstream.core.delivery.origins import Allowed
from kstream.core.errors import BindError
from kstream.logs.replay import ReplayLog
from kstream.web.admission import ADMISSION, Admission, admit
from kstream.web.playing import Playing

_HOST: Final = "127.0.0.1"
_NOTHING: Final = Allowed(frozenset())


class Control:
    """Listens on this machine alone, and answers to its loopback names: the tokens of the API are not asked for."""

    def __init__(self, timeline: ReplayLog, *, port: int) -> None:
        """Port 0 picks a free one."""
        self._timeline = timeline
        self._port = port
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.5)

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self._port}/api/playback"

    async def __aenter__(self) -> Self:
        """Raises BindError."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, _HOST, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise BindError(
                f"cannot listen on {_HOST}:{self._port}: {error.strerror or error}; choose another --control-port"
                " (0 picks a free one)"
            ) from error
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[admit])
        app[ADMISSION] = Admission(bound=_HOST, origins=_NOTHING, hosts=_NOTHING, fixed=True)
        app.router.add_routes(Playing(self._told, self._timeline, time=self._timeline.time).routes())
        return app

    async def _told(self) -> dict[str, Any]:
        return dict(self._timeline.playback)
