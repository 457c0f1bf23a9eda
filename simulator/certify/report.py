"""What came of a run, for people and for programs."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

import click

from kstream.core.visible import json_text, visible
from simulator.certify.judging import KINDS, OPTIONAL
from simulator.certify.running import Outcome, Verdict
from simulator.certify.steps import written

_STYLES: Final = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.SKIPPED: "yellow"}

# What to do about each kind of failure that says more than the case that found it.
REMEDIES: Final = {
    "connect": "Connect to the address in KSTREAM_URL when the harness starts, and to that of each `start`",
    "twice": "One client has one connection: leave the one before you open another, and keep one that works",
    "left": "Leave a connection only when it ends or no pong came; what you do not know is no reason",
    "says": 'Send JSON texts of the types "ping" and "subscribe" only',
    "filter": "Ask with the filter that is wanted last, in the URL of every connection",
    "resume": "Ask with epoch, term and seq of what is held when you come back: what was missed comes, and no state",
    "token": "Ask with epoch and term of the last `connection` and the seq of the last message that has one, or not",
    "harness": "Mend the harness: one line of JSON comes in, one line of JSON goes out; all else belongs on stderr",
}


def line(verdict: Verdict) -> str:
    """One line of a case."""
    mark = click.style(f"{verdict.outcome:8}", fg=_STYLES[verdict.outcome])
    about = verdict.case.about
    if verdict.outcome is Outcome.SKIPPED:
        about = f"not played: {verdict.why}"
    return f"{mark} {verdict.case.id:24} {about}"


def particulars(verdict: Verdict, command: Sequence[str]) -> Iterator[str]:
    """What a person needs who has to mend it, line by line."""
    yield from _labelled("rule", verdict.case.rule)
    yield from _labelled("what", f"{verdict.why} ({verdict.where})" if verdict.where else verdict.why)
    yield from _labelled("fold", *verdict.lines)
    yield from _labelled("sent last", *verdict.sent)
    yield from _labelled("stderr", *verdict.stderr.splitlines()[-10:])
    yield from _labelled("remedy", remedy(verdict))
    called = f"kstream certify --case {verdict.case.id} -- {shlex.join(command)}"
    if verdict.script:
        yield from _labelled("script", json.dumps(written(verdict.script)))
        called += f"\n(or save the script, and: kstream certify --script FILE -- {shlex.join(command)})"
    yield from _labelled("again", *called.splitlines())


def remedy(verdict: Verdict) -> str:
    return REMEDIES.get(verdict.about, verdict.case.remedy)


def summary(verdicts: Sequence[Verdict], fold: Sequence[str]) -> str:
    """The last line; `fold`: the keys that the client's own folds have."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    text = f"{counts[Outcome.PASSED]} passed, {counts[Outcome.FAILED]} failed"
    if counts[Outcome.SKIPPED]:
        text += f", {counts[Outcome.SKIPPED]} not played"
    missing = [name for name in OPTIONAL if name not in fold]
    return f"{text}; not judged, since its fold has none: {', '.join(missing)}" if missing and fold else text


def as_json(
    verdicts: Sequence[Verdict], command: Sequence[str], can: Sequence[str], fold: Sequence[str]
) -> str:
    counts = Counter(verdict.outcome for verdict in verdicts)
    told = {
        "command": list(command),
        "can": sorted(can),
        "judged": [*KINDS, *(name for name in OPTIONAL if name in fold)],
        **{outcome.value: counts[outcome] for outcome in Outcome},
        "cases": [_case(verdict) for verdict in verdicts],
    }
    return json_text(told, indent=2)


def _case(verdict: Verdict) -> dict[str, Any]:
    case = verdict.case
    told: dict[str, Any] = {
        "id": case.id,
        "outcome": verdict.outcome.value,
        "about": case.about,
        "rule": case.rule,
    }
    told["seconds"] = round(verdict.seconds, 3)
    if verdict.outcome is Outcome.SKIPPED:
        told["why"] = verdict.why
    elif verdict.outcome is Outcome.FAILED:
        told |= {"why": verdict.why, "step": verdict.where, "fold": verdict.lines, "sent": verdict.sent}
        told |= {"stderr": verdict.stderr, "remedy": remedy(verdict)}
        told["script"] = written(verdict.script or case.script)
    return told


def _labelled(label: str, *lines: str) -> Iterator[str]:
    for number, each in enumerate(lines):
        yield f"         {label if number == 0 else '':10} {visible(each)}"
