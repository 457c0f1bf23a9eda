"""The lines of a file that another program wrote: numbered, bounded, gzipped or not."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from io import BufferedReader
from typing import IO, Final

from kstream.core.errors import ConfigError
from kstream.core.imports.foreign import MAX_LINE, Line

_GZIP: Final = b"\x1f\x8b"
_WIDE: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Opened = Callable[[], AbstractContextManager[BufferedReader]]


def lines_of(name: str, opened: Opened) -> Iterator[Line]:
    """Raises ConfigError, with the `name`, for what cannot be read, and for a line of more than 16 MiB."""
    number, torn = 0, False
    try:
        with opened() as plain:
            zipped = plain.peek(len(_GZIP)).startswith(_GZIP)  # it may be a pipe, which does not go back
            file: IO[bytes] = gzip.GzipFile(fileobj=plain, mode="rb") if zipped else plain  # type: ignore[assignment]
            while not torn:
                try:
                    raw = file.readline(MAX_LINE + 2)
                except EOFError:
                    # Its end is not there (yet), and nobody knows what of it: something that was begun.
                    raw = b"{"
                if not raw:
                    return
                number += 1
                if number == 1:
                    raw = _unmarked(name, raw)
                torn = not raw.endswith(b"\n")
                line = Line(name, number, raw.removesuffix(b"\n"), whole=not torn)
                if len(line.raw) > MAX_LINE:
                    raise line.wrong(f"it has more than {MAX_LINE} bytes")
                yield line
    except OSError as error:
        raise ConfigError(f"{name}: it cannot be read ({error.strerror or error}); check the path") from error
    except zlib.error as error:
        raise ConfigError(f"{name}, after line {number}: it is damaged ({error})") from error


def _unmarked(name: str, raw: bytes) -> bytes:
    """The first line, without the mark that some programs of Windows begin a text with. Raises ConfigError."""
    if raw.startswith(_WIDE):
        raise ConfigError(
            f"{name}: it is UTF-16, as `>` of PowerShell 5 writes it; write it in UTF-8, with"
            " `| Out-File -Encoding utf8`, or `iconv -f UTF-16 -t UTF-8`"
        )
    return raw.removeprefix(codecs.BOM_UTF8)
