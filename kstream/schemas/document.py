"""The schemas as the files that they are: as `kstream schema` prints them, and as the server has them."""

from __future__ import annotations

import json
from typing import Final

from kstream.core.errors import UsageError
from kstream.schemas.asyncapi import asyncapi
from kstream.schemas.messages import message_schema
from kstream.schemas.openapi import openapi
from kstream.schemas.typescript import typescript

_JSON: Final = {"messages": message_schema, "asyncapi": asyncapi, "openapi": openapi}
FORMS: Final = (*_JSON, "typescript")


def document(form: str, *, closed: bool) -> str:
    """The text of one of FORMS, with a newline at the end. `closed`: a field that is not described is refused.

    Raises UsageError: TypeScript knows no such thing.
    """
    if form in _JSON:
        return json.dumps(_JSON[form](closed=closed), indent=1, ensure_ascii=False) + "\n"
    if closed:
        raise UsageError("--closed is for schemas in JSON: leave it out for typescript")
    return typescript()
