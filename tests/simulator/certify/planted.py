"""Faults planted in kstream.js: a text, what stands in its place, and a case of the conformance run that finds it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from tests.docs.blocks import ROOT

CLIENT: Final = ROOT / "kstream" / "web" / "static" / "kstream.js"
HARNESS: Final = ROOT / "simulator" / "certify" / "harnesses" / "kstream_js.mjs"


class Planted(NamedTuple):
    what: str
    before: str  # it stands in the file once
    after: str
    case: str

    def write(self, folder: Path, number: int) -> Path:
        """A client with the fault in it."""
        text = CLIENT.read_text("utf-8")
        assert text.count(self.before) == 1, (
            f"{self.what}: {self.before!r} stands {text.count(self.before)} times"
        )
        path = folder / f"planted{number}.mjs"
        path.write_text(text.replace(self.before, self.after), "utf-8")
        return path


_RESUME = "if (this._held !== this._wants || this._epoch === null || this.seq === null) return null;"
_BATCH = "case \"batch\":\n        // An event's own seq says nothing here: only the batch's says what is covered.\n"
_EACH = '        for (const event of field(message, "data", Array.isArray, "a list")) this._event(event);\n'

PLANTED: Final = (
    Planted(
        "resume is never asked for",
        "const token = this._mayResume &&",
        "const token = false &&",
        "resume/missed",
    ),
    Planted("the term is not said", "if (token.term !== null) url", "if (false) url", "resume/missed"),
    Planted(
        "the term of the first connection is kept",
        "this._term = textOf(message.term);",
        "this._term ??= textOf(message.term);",
        "resume/restart",
    ),
    Planted(
        "another epoch is not noticed",
        "if (epoch !== this._epoch) {",
        "if (this._epoch === null) {",
        "resume/epoch",
    ),
    Planted(
        "a refused resume is resumed from",
        "if (this._awaiting) this._held = null;",
        "",
        "resume/refused-late",
    ),
    Planted(
        "a resume is taken for a new beginning",
        "this._awaiting = message.resumed !== true;",
        "this._awaiting = true;",
        "resume/nothing",
    ),
    Planted(
        "an event does not move the number on",
        "        this._event(message);\n        this.seq = seqOf(message);",
        "        this._event(message);",
        "resume/missed",
    ),
    Planted(
        "a batch does not move the number on",
        f"{_EACH}        this.seq = seqOf(message);",
        _EACH,
        "batch/all",
    ),
    Planted(
        "a batch has the number of its last event",
        f"{_EACH}        this.seq = seqOf(message);",
        f"{_EACH}        this.seq = seqOf(message.data.at(-1));",
        "batch/number",
    ),
    Planted(
        "a state does not move the number on",
        '"an object"));\n        this.seq = seqOf(message);',
        '"an object"));',
        "state/whole",
    ),
    Planted(
        "a message without a number keeps the last one",
        "message.seq >= 0 ? message.seq : null;",
        "message.seq >= 0 ? message.seq : 4;",
        "state/torn",
    ),
    Planted(
        "the last event of a batch is dropped",
        f"{_BATCH}{_EACH}",
        f"{_BATCH}{_EACH}".replace('"a list"))', '"a list").slice(0, -1))'),
        "batch/one",
    ),
    Planted(
        "of a batch, the first event alone is folded",
        f"{_BATCH}{_EACH}",
        f"{_BATCH}{_EACH}".replace('"a list"))', '"a list").slice(0, 1))'),
        "batch/all",
    ),
    Planted(
        "what is deleted stays",
        'if (event.action === "DELETED") held.delete(uid);',
        'if (event.action === "DELETED") uid;',
        "events/each",
    ),
    Planted(
        "what is changed is not taken over", '|| event.action === "MODIFIED") held', ") held", "events/each"
    ),
    Planted(
        "an unknown action is taken for a change",
        "held.set(uid, data);\n    else return;",
        "held.set(uid, data);\n    else held.set(uid, data);",
        "unknown/action",
    ),
    Planted(
        "an unknown type throws",
        "      default:\n        return;",
        '      default:\n        throw new Error("unknown");',
        "unknown/type",
    ),
    Planted(
        "a state is added to what is held",
        "Object.assign(this, { nodes, pods, namespaces, looked",
        "Object.assign(this, { nodes, pods: new Map([...this.pods, ...pods]), namespaces, looked",
        "state/again",
    ),
    Planted(
        "the last pod of a state is dropped",
        "(item) => [uidOf(item), item])),",
        "(item) => [uidOf(item), item]).slice(0, kind === 'pods' ? -1 : undefined)),",
        "state/whole",
    ),
    Planted(
        "the pods of a namespace are not counted down",
        "if (before !== undefined) this._count(before, -1);",
        "",
        "events/each",
    ),
    Planted(
        "a lost connection is not stale",
        "this._linked = false;\n    this.version",
        "this.version",
        "resume/nothing",
    ),
    Planted(
        "a server without its cluster is not stale",
        '|| this.connection?.status !== "connected"',
        "",
        "stale/source",
    ),
    Planted(
        "it stays stale when the state is there",
        "this._awaiting = false;\n    this._held = this._asked;",
        "this._held = this._asked;",
        "state/whole",
    ),
    Planted(
        "there is no wait before the next attempt",
        "FIRST_WAIT * 2 ** this._waits",
        "0 * this._waits",
        "resume/nothing",
    ),
    Planted("the waits do not grow", "FIRST_WAIT * 2 ** this._waits", "FIRST_WAIT", "reconnect/waits"),
    Planted(
        "the waits have no end",
        "Math.min(FIRST_WAIT * 2 ** this._waits, MAX_WAIT)",
        "FIRST_WAIT * 2 ** this._waits",
        "reconnect/waits",
    ),
    Planted(
        "the waits do not begin anew",
        "  lost() {\n    this.connected();\n",
        "  lost() {\n",
        "reconnect/waits",
    ),
    Planted("the user is never told", "if (showError) {", "if (false) {", "reconnect/error"),
    Planted(
        "the user is told at once",
        "this._failed === ATTEMPTS_BEFORE_ERROR",
        "this._failed > 0",
        "reconnect/waits",
    ),
    Planted(
        "it does not come back from a clean close",
        "socket.onclose = ({ code, reason }) =>\n",
        "socket.onclose = ({ code, reason }) => code !== 1000 &&\n",
        "reconnect/codes",
    ),
    Planted(
        "no ping is sent", "setInterval(() => this._ping(socket), HEARTBEAT_INTERVAL)", "0", "heartbeat/ping"
    ),
    Planted(
        "a pong is not heard",
        '} else if (message.type === "pong") {',
        '} else if (message.type === "gnop") {',
        "heartbeat/ping",
    ),
    Planted(
        "no pong is missed",
        'this._timers.pong = setTimeout(() => this._lost(socket, "no pong within 10 s"), HEARTBEAT_TIMEOUT);',
        "",
        "heartbeat/lost",
    ),
    Planted(
        "a connection that was left is listened to",
        "socket === this._socket && this._receive(socket, data);",
        "this._receive(socket, data);",
        "heartbeat/late",
    ),
    Planted(
        "the filter is not in the URL of the next connection",
        "FILTER.forEach((name, at) => filter[at] && url.searchParams.set(name, filter[at]));\n    const elsewhere",
        "if (!this._ever) FILTER.forEach((name, at) => filter[at] && url.searchParams.set(name, filter[at]));\n"
        "    this._ever = true;\n    const elsewhere",
        "filter/kept",
    ),
    Planted(
        "a state is resumed under another filter",
        _RESUME,
        _RESUME.replace("this._held !== this._wants || ", ""),
        "filter/away",
    ),
    Planted(
        "another filter is not said to the server",
        'if (fields) this._send({ type: "subscribe", ...fields });',
        "",
        "filter/changed",
    ),
    Planted(
        "a dropped subscribe is not said again",
        'if (code === "RATE_LIMITED") {',
        "if (false) {",
        "filter/dropped",
    ),
    Planted(
        "what is over is not taken back",
        "    this.faults.delete(fault);\n",
        "",
        "told/faults",
    ),
    Planted(
        "faults outlive their connection", "this.faults = new Map(); // those", "// those", "told/faults-away"
    ),
    Planted("how old it is is not kept", "    this.asOf = asOf;\n", "", "told/metrics"),
)
