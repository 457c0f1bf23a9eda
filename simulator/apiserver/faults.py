"""Fault scripts: what goes wrong, on which request, when, and how often. See docs/faults.md.

The models are the format; unknown keys are errors that name line and key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from kstream.core.errors import ConfigError
from kstream.core.wording import foremost, worded
from kstream.documents import read_document, told

Seconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Match(Strict):
    """Which requests a rule is about: all that is given must hold."""

    verb: Literal["get", "list", "watch", "post"] | None = None
    resource: str | None = None
    namespace: str | None = None  # "" is the whole cluster
    name: str | None = None
    page: Count | None = None  # of a list, from 1
    user: str | None = None
    query: dict[str, str] | None = None  # each of these parameters has this value
    path: str | None = None  # exactly this one, for what is no resource: /version


class When(Strict):
    """When a rule begins to act; what is not given does not matter."""

    request: Count | None = None  # from the nth matching request on
    after: Seconds | None = None  # seconds since the server's start
    event: Annotated[int, Field(ge=0)] | None = (
        None  # of a watch: after its nth object; else: after the nth write
    )


class Answer(Strict):
    """An HTTP answer. Without `body` it is a Status object."""

    code: Annotated[int, Field(ge=100, le=599)]
    reason: str = ""
    message: str = ""
    body: str | None = None
    content_type: str | None = None
    retry_after: int | None = None  # as a header, and in the Status as details.retryAfterSeconds


class ErrorEvent(Strict):
    """An ERROR line in a watch. With `status` false, an object that is no Status, without reason or code."""

    code: int | None = None
    reason: str | None = None
    message: str = ""
    retry_after: int | None = None


class Restart(Strict):
    down: Seconds = 0.0  # seconds in which connections are refused


class Restore(Strict):
    back: Seconds = 60.0  # the age of the copy, in the cluster's time
    down: Seconds = 10.0  # seconds in which connections are refused


class Slow(Strict):
    bytes: Count = 1
    every: Seconds = 0.01


def _empty_if_true(value: Any) -> Any:
    return {} if value is True else value


class Action(Strict):
    """What happens: exactly one of these. One without parameters may be written as a word: `do: drop`."""

    # instead of the answer, or before it
    status: Answer | None = None
    unauthorized: Literal[True] | None = None  # 401 with the real text
    forbidden: Literal[True] | None = None  # 403 with the real text
    expire_token: Literal[True] | None = None  # the token of the request is unknown from now on
    delay: Seconds | None = None  # before the answer; with `when.event`, before the next line
    black_hole: Literal[True] | None = None  # accepted, and never an answer
    drop: Literal[True] | None = None  # the connection is cut; with `when.event`, in the middle of the watch
    compact: Literal[True] | None = None  # all history is forgotten
    restart: Annotated[Restart | None, BeforeValidator(_empty_if_true)] = None
    restore: Annotated[Restore | None, BeforeValidator(_empty_if_true)] = None  # etcd is put back to a copy
    # in the lines of a watch
    end: Literal[True] | None = None  # a clean end
    silence: Literal[True] | None = None  # nothing more is sent, not even bookmarks
    torn_line: Annotated[int, Field(ge=0)] | None = None  # this many bytes of the next line, then a clean end
    slow: Annotated[Slow | None, BeforeValidator(_empty_if_true)] = None  # from there on
    one_chunk: Literal[True] | None = None  # what comes next is held back until ten lines are there
    duplicate: Literal[True] | None = None  # the next line twice
    stale: Literal[True] | None = None  # the first line of the watch again
    line: str | None = None  # this line in between: "", "{not json", an unknown event
    oversize: Count | None = None  # a line of this many bytes in between
    error: Annotated[ErrorEvent | None, BeforeValidator(_empty_if_true)] = (
        None  # an ERROR event, then the end
    )
    no_bookmarks: Literal[True] | None = None
    initial_end: str | None = (
        None  # the value of the annotation that ends the initial events, in place of "true"
    )

    @model_validator(mode="before")
    @classmethod
    def _word(cls, value: Any) -> Any:
        return {value: True} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("exactly one action is needed here; write a rule for each")
        return self

    @property
    def kind(self) -> str:
        return next(iter(self.model_fields_set))


_IN_STREAM = frozenset(
    {
        "duplicate",
        "end",
        "error",
        "initial_end",
        "line",
        "no_bookmarks",
        "one_chunk",
        "oversize",
        "silence",
        "slow",
        "stale",
        "torn_line",
    }
)
_FINAL = frozenset(
    {"black_hole", "drop", "expire_token", "forbidden", "restart", "restore", "status", "unauthorized"}
)
_ON_SERVER = frozenset({"compact", "drop", "restart", "restore"})


class Rule(Strict):
    """One thing that goes wrong. Without `match` it happens to the server: compact, restart, restore, drop (of all)."""

    match: Match | None = None
    when: When = When()
    do: Action
    times: Count | Literal["always"] = 1
    lasting: Seconds | None = None  # in place of `times`: for this many seconds from the first time on

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.match is None and self.do.kind not in _ON_SERVER:
            raise ValueError(f"`{self.do.kind}` needs a `match`: it happens to a request")
        if self.match is None and self.when.request is not None:
            raise ValueError("`when.request` counts requests: say which with `match`")
        if self.match is None and self.when.after is None and self.when.event is None:
            raise ValueError("a rule without `match` needs `when.after` or `when.event`")
        if self.match is not None and self.in_stream and self.match.verb != "watch":
            raise ValueError(f"`{self.do.kind}` happens in a watch: say `match: {{verb: watch}}`")
        return self

    @property
    def in_stream(self) -> bool:
        """It happens to the lines of a watch, not to the request."""
        at_line = self.match is not None and self.when.event is not None and self.do.kind in ("delay", "drop")
        return self.do.kind in _IN_STREAM or at_line

    @property
    def final(self) -> bool:
        """The request gets no other answer than this."""
        return self.do.kind in _FINAL and not self.in_stream


class FaultScript(Strict):
    faults: tuple[Rule, ...] = ()


def read_script(path: Path) -> FaultScript:
    """Raises ConfigError: unreadable, no YAML, or an error with line and key."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"fault script {path}: cannot be read: {error}; name an existing YAML file"
        ) from error
    return parse_script(text, name=str(path))


def parse_script(text: str, *, name: str = "faults") -> FaultScript:
    """Raises ConfigError; `name` is what its message calls the script."""
    try:
        node, content = read_document(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: no YAML: {told(error)}; see docs/faults.md") from None
    try:
        return FaultScript.model_validate(content if node is not None else {})
    except ValidationError as error:
        first = foremost(error.errors())
        line = _line(node, first["loc"])
        key = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ConfigError(
            f"{name}, line {line}: {key}: {worded(first)}; docs/faults.md lists every key"
        ) from error


def _line(node: yaml.Node | None, path: tuple[int | str, ...]) -> int:
    """The line (from 1) of the node that a path leads to, or of the last one on the way."""
    line = 1
    for part in path:
        following = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == part:
                    line, following = key.start_mark.line + 1, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            following = node.value[part]
            line = following.start_mark.line + 1
        if following is None:
            break
        node = following
    return line
