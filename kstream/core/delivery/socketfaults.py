"""Faults of the WebSocket side, on demand: so that a frontend can be tested against a bad server (`--fault`).

A fault is written `KIND` or `KIND:NAME=VALUE,…`; several may be given. Seconds everywhere.

| fault | effect on each connection |
|---|---|
| `drop:after=10` | cut without a close frame 10 s after it was made |
| `close:after=10,code=1011` | closed properly, with a code |
| `delay:seconds=0.5` | everything arrives so much later, in order |
| `mute:after=10` | stays open, and nothing is sent any more: not even the answer to a ping |
| `deaf:after=0` | pings of the client are not answered; events go on |
| `refuse:first=3` | the first three attempts to connect get 503 |
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from kstream.core.errors import UsageError
from kstream.core.wording import foremost, worded

_DAY: Final = 86_400.0  # seconds


class _Fault(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Drop(_Fault):
    kind: Literal["drop"]
    after: float = Field(ge=0, le=_DAY)


class CloseWith(_Fault):
    kind: Literal["close"]
    after: float = Field(ge=0, le=_DAY)
    code: int = Field(default=1011, ge=1000, le=4999)


class Delay(_Fault):
    kind: Literal["delay"]
    seconds: float = Field(gt=0, le=600)


class Mute(_Fault):
    kind: Literal["mute"]
    after: float = Field(default=0, ge=0, le=_DAY)


class Deaf(_Fault):
    kind: Literal["deaf"]
    after: float = Field(default=0, ge=0, le=_DAY)


class Refuse(_Fault):
    kind: Literal["refuse"]
    first: int = Field(ge=1, le=1_000_000)


SocketFault = Drop | CloseWith | Delay | Mute | Deaf | Refuse

_NAMES: Final = {
    get_args(each.model_fields["kind"].annotation)[0]: [name for name in each.model_fields if name != "kind"]
    for each in get_args(SocketFault)
}  # by kind
_fault: TypeAdapter[SocketFault] = TypeAdapter(Annotated[SocketFault, Field(discriminator="kind")])


def parse_faults(texts: Iterable[str]) -> tuple[SocketFault, ...]:
    """Faults as they are written on the command line. Raises UsageError that names the fault and the part."""
    return tuple(_parse(text) for text in texts)


def _parse(text: str) -> SocketFault:
    kind, _, rest = text.partition(":")
    fields: dict[str, str] = {"kind": kind}
    for part in filter(None, rest.split(",")):
        name, equals, value = part.partition("=")
        if not equals:
            raise UsageError(f"--fault {text!r}: {part!r} is not NAME=VALUE; write drop:after=10")
        fields[name] = value
    try:
        return _fault.validate_python(fields)
    except ValidationError as invalid:
        first = foremost(invalid.errors(include_url=False))
        place = ".".join(str(part) for part in first["loc"][1:]) or "kind"
        why = worded(first, known=_NAMES.get(kind, ()))
        raise UsageError(f"--fault {text!r}: {place}: {why}; see docs/faults.md") from None
