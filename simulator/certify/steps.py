"""What a script may do, step by step: what happens to the cluster, what the server says, what befalls the connection.

A script is a list of JSON objects, so that it can be printed, cut, sent to somebody and played again. A step that makes
no sense where it stands (the end of a connection while there is none) is passed over: a script from which steps were
taken away is one all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from kstream.core.errors import UsageError
from kstream.core.wording import foremost, worded

MOST_STEPS: Final = 500
MOST_BYTES: Final = 1 << 20  # of a script that is read
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", max_length=63)]
Kind = Literal["pod", "node", "namespace"]


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Add(_Step):
    """An object comes to be in the cluster. Nobody is told before `send` or a state."""

    do: Literal["add"] = "add"
    kind: Kind = "pod"
    name: Name
    namespace: Name = "a"  # of pods


class Modify(_Step):
    do: Literal["modify"] = "modify"
    kind: Kind = "pod"
    name: Name
    namespace: Name = "a"


class Delete(_Step):
    do: Literal["delete"] = "delete"
    kind: Kind = "pod"
    name: Name
    namespace: Name = "a"


class Send(_Step):
    """What happened is told: each event alone, in one batch, in several of which the last alone has a seq, only the
    first of these, or each in frames of a few bytes."""

    do: Literal["send"] = "send"
    how: Literal["each", "batch", "parts", "first part", "fragments"] = "each"


class State(_Step):
    """A whole new state on the open connection. `parts`: the pods come in so many batches after it. `behind`: it is as
    old as so many events, which follow. `torn`: only its first part comes."""

    do: Literal["state"] = "state"
    parts: int = Field(default=0, ge=0, le=20)
    behind: int = Field(default=0, ge=0, le=100)
    torn: bool = False


class Hold(_Step):
    """The next connection gets `connection`, and its state only with the next `state`."""

    do: Literal["hold"] = "hold"


class Drop(_Step):
    """The connection ends: cut without a word (code 1006), or closed with a code."""

    do: Literal["drop"] = "drop"
    code: int = Field(default=1006, ge=1000, le=4999)


class Silence(_Step):
    """The server says nothing any more, not even to a ping, until the client has given the connection up. `late`: it
    has a last word after that."""

    do: Literal["silence"] = "silence"
    late: bool = False


class Refuse(_Step):
    """The next attempts to connect are refused: with an HTTP status, or cut (0)."""

    do: Literal["refuse"] = "refuse"
    times: int = Field(default=1, ge=1, le=8)
    status: Literal[0, 403, 421, 429, 503] = 503
    retry_after: int = Field(default=0, ge=0, le=120)  # seconds


class Restart(_Step):
    """The server ends, and another one is there: in a new term, without the last events (whose numbers are given
    again), or with another log."""

    do: Literal["restart"] = "restart"
    how: Literal["term", "lost", "epoch"] = "term"


class Back(_Step):
    """Time passes until the client has come back."""

    do: Literal["back"] = "back"


class Beat(_Step):
    """Thirty seconds pass, in which a ping has to come."""

    do: Literal["beat"] = "beat"


class Source(_Step):
    """The server loses its cluster, or finds it again, and tells so."""

    do: Literal["source"] = "source"
    found: bool


class Term(_Step):
    """Somebody else begins to write the log, and an open connection is told."""

    do: Literal["term"] = "term"


class Fault(_Step):
    """Something is wrong that lasts; `over`: it is not any more."""

    do: Literal["fault"] = "fault"
    name: Annotated[str, Field(min_length=1, max_length=100)] = "permission:list:pods:a"
    over: bool = False


class Moment(_Step):
    """An error that does not last."""

    do: Literal["moment"] = "moment"
    code: Literal["WATCH_ERROR", "INVALID_MESSAGE"] = "WATCH_ERROR"


class Strange(_Step):
    """What a client does not know: a type of message, another one in a batch, fields, an action; an event that was
    told already, the end of what was never there, a change of it; ten megabytes; how a timeline is played."""

    do: Literal["strange"] = "strange"
    what: Literal["type", "batched", "fields", "action", "again", "gone", "modified", "large", "playback"]


class Metrics(_Step):
    """The counts of the server, and up to when its state is complete."""

    do: Literal["metrics"] = "metrics"


class Subscribe(_Step):
    """The client is asked to want another filter. `dropped`: the server answers it with RATE_LIMITED the first time."""

    do: Literal["subscribe"] = "subscribe"
    namespaces: tuple[Name, ...] = Field(default=(), max_length=20)
    dropped: bool = False


Step = (
    Add | Modify | Delete | Send | State | Hold | Drop | Silence | Refuse | Restart | Back | Beat | Source | Term
    | Fault | Moment | Strange | Metrics | Subscribe
)  # fmt: skip
Script = tuple[Step, ...]

_script: TypeAdapter[Script] = TypeAdapter(tuple[Annotated[Step, Field(discriminator="do")], ...])


def read_script(text: str) -> Script:
    """Steps as `written` has them. Raises UsageError that says which step is wrong, and how."""
    if len(text) > MOST_BYTES:
        raise UsageError(f"The script is longer than {MOST_BYTES} bytes: no run prints one like that")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"The script is no JSON ({error}): give the list of steps that a run has printed"
        ) from None
    if not isinstance(given, list) or len(given) > MOST_STEPS:
        raise UsageError(f"The script is not a list of at most {MOST_STEPS} steps")
    try:
        return _script.validate_python(given)
    except ValidationError as invalid:
        first = foremost(invalid.errors(include_url=False))
        number, *place = first["loc"]
        where = ".".join(str(part) for part in place[1:])
        raise UsageError(f"Step {int(number) + 1} of the script: {where or 'do'}: {worded(first)}") from None


def written(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """What `read_script` reads, without what goes without saying."""
    return [{"do": step.do, **step.model_dump(mode="json", exclude_defaults=True)} for step in steps]
