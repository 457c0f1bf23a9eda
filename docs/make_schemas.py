"""Writes the schemas that the server serves, and the messages in kstream.d.ts. A test checks that they are current.

Run it with `python docs/make_schemas.py`, or with the others: `make generated`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kstream.schemas.document import document

STATIC: Final = Path(__file__).parents[1] / "kstream/web/static"
TYPES: Final = STATIC / "kstream.d.ts"
BEFORE: Final = "// The messages of the protocol, made by `make generated`: `kstream schema typescript`.\n\n"
AFTER: Final = "\n// The client in kstream.js.\n"


def files() -> dict[Path, str]:
    """As they should be."""
    made = {
        STATIC / "messages.schema.json": document("messages", closed=False),
        STATIC / "asyncapi.json": document("asyncapi", closed=False),
        STATIC / "openapi.json": document("openapi", closed=False),
    }
    client = TYPES.read_text(encoding="utf-8").partition(AFTER)[2]
    return made | {TYPES: BEFORE + document("typescript", closed=False) + AFTER + client}


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
