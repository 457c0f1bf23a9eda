"""Everything that kstream raises on purpose.

KstreamError                 exit 1
├── ConfigError              exit 3   a scenario, a kubeconfig or what these name is wrong
│   └── UsageError           exit 2   a value on the command line is wrong
├── UnreachableError         exit 4   nothing answers at an address
├── ForbiddenError           exit 5   the API server or a kstream server says no
├── LogError                 exit 6   an event log cannot be used
│   ├── LogFormatError                not a kstream log, a newer format, or damaged
│   ├── LogBusyError                  another process writes it
│   ├── LogMismatchError              it belongs to another cluster or another run
│   ├── LogFullError                  it cannot grow; nothing that was committed is lost
│   └── LogTrimmedError               what was asked for was there, and retention has dropped it
├── BindError                exit 7   the address to serve on is taken or not ours
├── DivergedError            exit 8   a history is not in one piece: a defect of kstream, or a log that was changed
├── InvalidMessageError      exit 1   a message or a parameter that does not follow the protocol
│   └── NoRoomError                   what is asked for is limited in number, and all of it is in use
└── MalformedError           exit 1   what a Kubernetes API server sent is no JSON or not of its documented shape

A message says what is wrong (the thing), why (the cause) and what to do (the remedy).
"""

from __future__ import annotations

from typing import ClassVar


class KstreamError(Exception):
    """The root. `str()` is one line for a person: thing, cause, remedy."""

    exit_code: ClassVar[int] = 1


class ConfigError(KstreamError):
    """A setting, a scenario or a kubeconfig is missing, unreadable or wrong."""

    exit_code = 3


class UsageError(ConfigError):
    """A value of an option or an argument is wrong, or names what is not there: as click's own, exit code 2."""

    exit_code = 2


class UnreachableError(KstreamError):
    """Nothing answers at an address: refused, no such host, TLS, or a time-out."""

    exit_code = 4


class ForbiddenError(KstreamError):
    """The other side knows us and says no, or does not know us (401, 403)."""

    exit_code = 5


class LogError(KstreamError):
    """An event log cannot be read or written."""

    exit_code = 6


class LogFormatError(LogError):
    """The file is no event log, is of a format that this version does not know, or is damaged."""


class LogBusyError(LogError):
    """Another process writes the log: SQLite allows two, our guarantees do not."""


class LogMismatchError(LogError):
    """The log holds the history of another cluster or of another simulated run."""


class LogFullError(LogError):
    """The log cannot grow: the disk or its allowed size is full. What was committed is kept."""


class LogTrimmedError(LogError):
    """What was asked for is no longer kept: retention has dropped it, perhaps a moment ago."""


class BindError(KstreamError):
    """The address to serve on is in use or does not belong to this machine."""

    exit_code = 7


class DivergedError(KstreamError):
    """Two parts no longer agree on one history: a gap, a seq that goes back, an object twice, a cursor past the head.

    Raised where the parts meet, so that nobody is shown what never was. It ends the server: what is committed is
    right, and a new start folds it anew.
    """

    exit_code = 8


class InvalidMessageError(KstreamError):
    """Input of a client that does not follow the protocol; `details` names the field.

    Sent to WebSocket clients as the error code INVALID_MESSAGE (PROTOCOL 8) and to HTTP clients as 400.
    """

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class NoRoomError(InvalidMessageError):
    """As many are there as may be: later it may be possible. HTTP clients get 503."""


class MalformedError(KstreamError):
    """What the API server sent cannot be read: no JSON, cut off, or a field of another type than documented."""
