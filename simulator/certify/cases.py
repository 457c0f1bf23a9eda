"""The fixed cases: a short script each, the rule that it proves, and what to do where a client does not keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulator.certify.steps import (
    Add,
    Back,
    Beat,
    Delete,
    Drop,
    Fault,
    Hold,
    Metrics,
    Modify,
    Moment,
    Refuse,
    Restart,
    Script,
    Send,
    Silence,
    Source,
    State,
    Step,
    Strange,
    Subscribe,
    Term,
)

SLOW: Final = 10.0  # seconds of waiting, from which on a case is slow for a client whose time nobody moves


@dataclass(frozen=True)
class Case:
    """`rule` names a section of the contract or a number of docs/rules.md."""

    id: str
    about: str
    rule: str
    remedy: str
    script: Script
    needs: frozenset[str] = frozenset()  # what a harness must be able to

    @property
    def waits(self) -> float:
        """The seconds that the client's waits take at least."""
        beats = sum(isinstance(step, Beat | Silence) for step in self.script)
        silences = sum(isinstance(step, Silence) for step in self.script)
        backs = sum(isinstance(step, Back) for step in self.script)
        refusals = [step for step in self.script if isinstance(step, Refuse)]
        refused = sum(
            sum(max(min(2.0**n, 30.0), each.retry_after) for n in range(1, each.times + 1))
            for each in refusals
        )
        return 30.0 * beats + 10.0 * silences + backs + refused


def _case(id: str, about: str, rule: str, remedy: str, *script: Step, needs: str = "") -> Case:
    return Case(id, about, rule, remedy, script, frozenset(needs.split()))


_BY_UID: Final = "Keep objects by uid: take what ADDED and MODIFIED bring, drop what DELETED names"
_ALL: Final = "An initial_state takes the place of everything that is held; what it does not have is gone"
_PASS: Final = "Let pass what you do not know, and touch nothing that is held for it"
_TOKEN: Final = (
    "Ask with epoch and term of the last `connection` and the seq of the last message that has one"
)
_FORGET: Final = "Forget the number with each message that changes the state and has no seq, until one has"
_WAIT: Final = (
    "Wait 1 s after a loss, 2, 4, 8, 16, 30 s after failed attempts; begin anew once `connection` has come"
)
_TRY: Final = (
    "Whatever ended or refused it: try again after the wait, and show the error after 5 failed attempts"
)
_BEAT: Final = (
    'Send {"type": "ping"} every 30 s; leave for good a connection on which no pong came within 10 s'
)
_STALE: Final = (
    "Stale: without a connection, while `connection` is not `connected`, and until a state that is due came"
)
_FILTER: Final = (
    "Ask with the filter that is wanted last, in every URL; what another one let through is not gone on from"
)
_SUBSCRIBE: Final = (
    "Say what is wanted with `subscribe` once no state is due; what is held is stale until its state came"
)
_FAULTS: Final = (
    "Keep errors that have a `fault` by it, until `cleared` names it or another connection begins"
)

_POD, _MORE = Add(name="web"), Add(name="api", namespace="b")
_FEW: Final = (_POD, _MORE, Add(name="db"), Add(name="job", namespace="b"))
_CODES: Final = (1000, 1001, 1008, 1011, 1013)
_CHANGE: Final = (Modify(name="web"), Send())

CASES: Final = (
    _case("state/whole", "An initial_state is shown", "contract, Initial State", _ALL, *_FEW),
    _case("state/empty", "A cluster without pods is one", "contract, Initial State", _ALL, State()),
    _case("state/late", "The state may come long after `connection`", "PROTOCOL 3, 8", _STALE, _POD, Hold(), State(),
          *_CHANGE),
    _case("state/again", "A state may come at any time, and replaces all", "PROTOCOL 23, 27", _ALL, *_FEW, State(),
          Delete(name="web"), Add(name="new"), State(), Modify(name="new"), Send()),
    _case("state/then-events", "What happened while a state was made follows it", "PROTOCOL 4", _BY_UID, *_FEW,
          State(), Modify(name="web"), Delete(name="db"), Add(name="new"), State(behind=3)),
    _case("state/in-parts", "A large state comes in parts, and is whole with the last", "PROTOCOL 4",
          "Take the pods of the batches that follow an initial_state without seq", *_FEW, State(), State(parts=3),
          *_CHANGE),
    _case("state/torn", "A state of which a part is missing is not gone on from", "PROTOCOL 4, 15", _FORGET, *_FEW,
          State(), State(parts=2, torn=True), Drop(), Back(), *_CHANGE),
    _case("state/torn-at-first", "The same where it is the first state", "PROTOCOL 4, 15", _FORGET, *_FEW, Hold(),
          State(parts=2, torn=True), Drop(), Modify(name="api", namespace="b"), Back(), *_CHANGE),
    _case("events/each", "Objects are added, changed and deleted", "contract, Resource Update Events", _BY_UID,
          State(), _POD, Send(), *_CHANGE, Delete(name="web"), Send(), Modify(kind="node", name="node-1"), Send(),
          Add(kind="node", name="node-2"), Send(), Delete(kind="node", name="node-2"), Send()),
    _case("events/namespaces", "Namespaces come and go, with their pods", "PROTOCOL 5", _BY_UID, State(),
          Add(kind="namespace", name="c"), Add(name="web", namespace="c"), Send(), Modify(kind="namespace", name="c"),
          Send(), Delete(kind="namespace", name="c"), Send()),
    _case("events/recreated", "A pod of the same name is another one", "PROTOCOL 5, 6", _BY_UID, State(), _POD,
          Send(), Delete(name="web"), _POD, Send(), Delete(name="web"), _POD, Send(how="batch"), *_CHANGE),
    _case("events/again", "An event that comes again changes nothing", "PROTOCOL 5", _BY_UID, State(), _POD, Send(),
          Strange(what="again"), Delete(name="web"), Send(), Strange(what="again"), _MORE, Send()),
    _case("events/not-held", "What is not held may be deleted, and changed", "PROTOCOL 5", _BY_UID, _POD, State(),
          Strange(what="gone"), Strange(what="modified"), *_CHANGE),
    _case("events/in-pieces", "A message may come in frames of a few bytes", "RFC 6455, 5.4",
          "Read messages, not frames: your WebSocket library puts them together", State(), _POD,
          Send(how="fragments"), Modify(name="web"), Send(how="fragments"), *_CHANGE),
    _case("batch/all", "A batch has events of every kind", "PROTOCOL 6", "Fold each event of a batch, to the last",
          State(), *_FEW, Send(how="batch"), Delete(name="db"), Modify(name="web"),
          Modify(kind="node", name="node-1"), Add(name="new"), Delete(kind="namespace", name="b"), Send(how="batch")),
    _case("batch/one", "A batch may have one event", "PROTOCOL 6", "Fold each event of a batch, to the last", State(),
          _POD, Send(how="batch"), Delete(name="web"), Send(how="batch"), _POD, Send()),
    _case("batch/in-parts", "A large batch comes in parts", "PROTOCOL 6", "Fold each batch as it comes", State(),
          *_FEW, Send(how="parts"), *_CHANGE),
    _case("batch/torn", "A batch of which a part is missing is not gone on from", "PROTOCOL 6, 15", _FORGET, State(),
          *_FEW, Send(how="first part"), Drop(), Delete(name="web"), Back(), Modify(name="db"), Send()),
    _case("batch/number", "The number of a batch is its own, not that of its last event", "PROTOCOL 6, 15", _TOKEN,
          Subscribe(namespaces=("a",)), _POD, State(), Modify(name="web"), Add(name="hidden", namespace="b"),
          Send(how="batch"), Drop(), Modify(name="web"), Back(), *_CHANGE),
    _case("unknown/type", "A message of an unknown type changes nothing", "PROTOCOL 20", _PASS, _POD, State(),
          Strange(what="type"), *_CHANGE, Drop(), Back()),
    _case("unknown/in-a-batch", "Nor does one in a batch", "PROTOCOL 20", _PASS, _POD, State(),
          Strange(what="batched"), *_CHANGE),
    _case("unknown/fields", "A message may have more fields than one knows", "PROTOCOL 20", _PASS, _POD, State(),
          Strange(what="fields"), *_CHANGE),
    _case("unknown/action", "An unknown action changes nothing", "contract, Event Actions", _PASS, _POD, State(),
          Strange(what="action"), *_CHANGE),
    _case("unknown/playback", "How a timeline is played changes nothing that is held", "PROTOCOL 27", _PASS, _POD,
          State(), Strange(what="playback"), *_CHANGE, Drop(), Back()),
    _case("unknown/errors", "An error of a moment changes nothing", "contract, Error Messages", _PASS, _POD, State(),
          Moment(), *_CHANGE, Moment(code="INVALID_MESSAGE"), *_CHANGE),
    _case("resume/missed", "What was missed is asked for, and folded in", "PROTOCOL 15", _TOKEN, State(), *_FEW,
          Send(), Drop(), Modify(name="web"), Delete(name="db"), Add(name="new"), Back(), *_CHANGE),
    _case("resume/nothing", "Nothing was missed: what is held is true again", "PROTOCOL 15", _STALE, State(), _POD,
          Send(), Drop(), Back(), *_CHANGE),
    _case("resume/again", "The number moves on with what a resume brought", "PROTOCOL 15", _TOKEN, State(), _POD,
          Send(), Drop(), Modify(name="web"), Back(), Drop(), Modify(name="web"), Back(), Drop(), Back(), *_CHANGE),
    _case("resume/restart", "Another server goes on in another term", "PROTOCOL 15", _TOKEN, State(), _POD, Send(),
          Restart(), Back(), *_CHANGE, Restart(), Modify(name="web"), Back()),
    _case("resume/term", "The term changes on an open connection", "PROTOCOL 3, 15", _TOKEN, State(), _POD, Send(),
          Term(), Drop(), Back(), Term(), *_CHANGE, Drop(), Back(), *_CHANGE),
    _case("resume/refused", "A log that lost its end: everything comes anew", "PROTOCOL 15", _ALL, State(), *_FEW,
          Send(), Restart(how="lost"), Back(), *_CHANGE, Drop(), Back()),
    _case("resume/refused-late", "It is stale until that state is there, and no number is known", "PROTOCOL 15",
          _STALE, State(), *_FEW, Send(), Restart(how="lost"), Hold(), Back(), Drop(), Back(), *_CHANGE),
    _case("resume/epoch", "Another log: everything comes anew", "PROTOCOL 15", _ALL, State(), *_FEW, Send(),
          Restart(how="epoch"), Back(), _POD, Send(), Drop(), Back()),
    _case("resume/epoch-late", "Another log, whose state is not there yet", "PROTOCOL 15", _TOKEN, State(), *_FEW,
          Send(), Restart(how="epoch"), Hold(), Back(), Drop(), Back(), _POD, Send(), Drop(), Back()),
    _case("reconnect/waits", "The waits double up to 30 s, and begin anew", "contract, Reconnection Strategy", _WAIT,
          _POD, State(), Drop(), Refuse(times=6), Back(), *_CHANGE, Drop(), Back(), Drop(), Refuse(), Back()),
    _case("reconnect/error", "After 5 failed attempts the user is told, until it works",
          "contract, Reconnection Strategy", _TRY, _POD, State(), Drop(), Refuse(times=5), Back(), *_CHANGE, Drop(),
          Refuse(times=2, status=0), Back()),
    _case("reconnect/at-first", "A server that is not there at first is waited for",
          "contract, Reconnection Strategy", _TRY, Refuse(times=2), _POD, Back(), *_CHANGE),
    _case("reconnect/codes", "Whatever the close code, it comes back", "contract, Reconnection Strategy", _TRY, _POD,
          State(),
          *(step for code in _CODES for step in (Drop(code=code), Modify(name="web"), Back()))),
    _case("reconnect/refusals", "Whatever the refusal, it tries again", "contract, Reconnection Strategy", _TRY, _POD,
          State(), Drop(), Refuse(status=403), Refuse(status=421), Refuse(status=429), Refuse(status=0), Back(),
          *_CHANGE),
    _case("reconnect/retry-after", "A server that says when is asked then", "PROTOCOL 26",
          "Wait at least as long as Retry-After says", _POD, State(), Drop(), Refuse(retry_after=20), Back(),
          *_CHANGE, needs="retry-after"),
    _case("heartbeat/ping", "A ping every 30 s, and a pong keeps the connection", "contract, Heartbeat", _BEAT, _POD,
          State(), Beat(), Beat(), Beat(), *_CHANGE),
    _case("heartbeat/lost", "A connection without a pong is given up", "contract, Heartbeat", _BEAT, _POD, State(),
          Beat(), Silence(), Modify(name="web"), Back(), Beat(), *_CHANGE),
    _case("heartbeat/late", "What was given up is not listened to any more", "contract, Heartbeat", _BEAT, _POD,
          State(), Silence(late=True), Back(), *_CHANGE, Drop(), Back()),
    _case("stale/source", "The server has lost its cluster, and finds it", "PROTOCOL 3", _STALE, _POD, State(),
          Source(found=False), *_CHANGE, Source(found=True), *_CHANGE),
    _case("stale/source-away", "It is lost while the client is away", "PROTOCOL 3", _STALE, _POD, State(), Drop(),
          Source(found=False), Back(), *_CHANGE, Source(found=True), Source(found=False), Drop(), Source(found=True),
          Back()),
    _case("filter/kept", "The filter of the URL is that of each connection", "PROTOCOL 14, 15", _FILTER,
          Subscribe(namespaces=("a",)), *_FEW, State(), Drop(), Add(name="hidden", namespace="b"), Back(), *_CHANGE,
          Restart(how="epoch"), Back(), _POD, _MORE, Send()),
    _case("filter/changed", "Another filter is wanted, and shown", "PROTOCOL 16, 30", _SUBSCRIBE, *_FEW, State(),
          Subscribe(namespaces=("b",)), Modify(name="api", namespace="b"), Modify(name="web"), Send(), Subscribe(),
          *_CHANGE, needs="subscribe"),
    _case("filter/changed-late", "Until its state is there, what is held is stale", "PROTOCOL 16", _SUBSCRIBE, *_FEW,
          State(), Hold(), Subscribe(namespaces=("b",)), State(), Drop(), Back(), Modify(name="api", namespace="b"),
          Send(), needs="subscribe"),
    _case("filter/away", "Another filter is wanted while there is no connection", "PROTOCOL 15, 16", _FILTER, *_FEW,
          State(), Drop(), Subscribe(namespaces=("b",)), Back(), Modify(name="api", namespace="b"), Send(), Drop(),
          Back(), needs="subscribe"),
    _case("filter/back", "The filter that is held is wanted again", "PROTOCOL 15, 16", _FILTER, *_FEW, State(),
          Drop(), Subscribe(namespaces=("b",)), Subscribe(), Back(), *_CHANGE, needs="subscribe"),
    _case("filter/waiting", "Another filter is wanted while a state is due", "PROTOCOL 16", _SUBSCRIBE, *_FEW, Hold(),
          State(), Restart(how="epoch"), *_FEW, Hold(), Back(), Subscribe(namespaces=("b",)), State(),
          Modify(name="api", namespace="b"), Send(), needs="subscribe"),
    _case("filter/lost", "The connection ends before the state of another filter is there", "PROTOCOL 15, 16",
          _FILTER, *_FEW, State(), Hold(), Subscribe(namespaces=("b",)), Drop(), Back(),
          Modify(name="api", namespace="b"), Send(), needs="subscribe"),
    _case("filter/dropped", "A `subscribe` that was too much is said again", "PROTOCOL 16, 22",
          "Say `subscribe` again after RATE_LIMITED: the server has dropped it", *_FEW, State(),
          Subscribe(namespaces=("b",), dropped=True), Modify(name="api", namespace="b"), Send(), needs="subscribe"),
    _case("told/faults", "What is wrong is a set, until each is over", "PROTOCOL 8", _FAULTS, _POD, State(), Fault(),
          Fault(name="log"), *_CHANGE, Fault(over=True), Fault(name="log", over=True), *_CHANGE),
    _case("told/faults-away", "What is wrong is told anew on each connection", "PROTOCOL 8", _FAULTS, Fault(), _POD,
          State(), Fault(name="log"), Drop(), Fault(over=True), Back(), Fault(name="log", over=True), *_CHANGE),
    _case("told/metrics", "The counts of the server, and how old it all can be", "PROTOCOL 7, 29",
          "Keep `data` and `asOf` of the last metrics; they are of the whole cluster, and no event", *_FEW, State(),
          Metrics(), *_CHANGE, Metrics(), Metrics()),
    _case("state/ten-megabytes", "A message may have ten megabytes", "PROTOCOL 18",
          "Raise the largest message that your WebSocket library takes to 10 MB", _POD, State(),
          Strange(what="large"), *_CHANGE),
)  # fmt: skip
