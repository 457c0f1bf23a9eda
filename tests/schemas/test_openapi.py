"""The HTTP side as OpenAPI 3.1: its own validator takes it, and it describes what is served."""

from __future__ import annotations

from typing import Any, Final

from openapi_spec_validator import OpenAPIV31SpecValidator

from kstream.schemas.openapi import openapi
from kstream.web.api import Api
from kstream.web.playing import Playing

DOCUMENT: Final = openapi(closed=False)


def test_the_validator_of_openapi_takes_the_document() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_it_describes_every_route_that_answers() -> None:
    none: Any = None
    routes = [
        *Api(none, none, none, time=lambda: 0.0).routes(),
        *Playing(none, none, time=lambda: 0.0).routes(),
    ]
    served = {(route.path, route.method.lower()) for route in routes}  # type: ignore[attr-defined]
    described = {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert described - served == {("/metrics", "get")}
    assert served <= described


def test_nobody_comes_home_to_the_timeline_of_all() -> None:
    command = DOCUMENT["components"]["schemas"]["PlaybackCommand"]
    assert command["properties"]["action"]["enum"] == ["pause", "play", "seek", "step"]
    assert command["required"] == ["action"]


def test_all_that_is_refused_has_one_shape() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for method in methods.values():
            assert method["responses"]["default"] == {"$ref": "#/components/responses/refused"}, path
