"""`kstream schema`: what is said over the socket and over HTTP, for programs that make clients and tests of it."""

from __future__ import annotations

from pathlib import Path

import click

from kstream.config import env_option
from kstream.core.errors import UsageError
from kstream.schemas.document import FORMS, document


@click.command()
@click.argument("form", type=click.Choice(FORMS), metavar="FORM")
@env_option(
    "-o",
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write, instead of printing it.",
)
@env_option("--closed", is_flag=True, help="Refuse fields that are not described: for tests of a server.")
def schema(form: str, out: Path | None, closed: bool) -> None:
    """The schema of the protocol in one FORM: messages (JSON Schema), asyncapi (the socket), openapi (HTTP) or
    typescript (the types of the messages).

    A running server has the same at /messages.schema.json, /asyncapi.json, /openapi.json and /kstream.d.ts.
    """
    text = document(form, closed=closed)
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{out} cannot be written: {error.strerror}. Name another file with --out, or leave it out"
        ) from error
