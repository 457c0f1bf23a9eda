"""`kstream log page`: what is in the file, and when there is none; tests/page/test_recording.py opens it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kstream.cli import main
from kstream.core.timeline.events import Kind, ObjectKey, Verb, WatchEvent
from tests.commands.log.test_redact import acme, originals
from tests.logs.facts import history
from tests.logs.files import stored
from tests.pages import recording_in

INCIDENT = Path(__file__).parents[3] / "fixtures" / "incident.db"
KEY = "0123456789abcdef"


def run(*arguments: str | Path, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, ["log", *map(str, arguments)], env=env)


def test_a_page_is_one_file_for_its_owner_and_says_what_is_in_it(tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    content = INCIDENT.read_bytes()
    done = run("page", INCIDENT, "-o", out, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "log": str(out),
        "objects": 0,
        "events": 539,
        "first": 1,
        "last": 539,
        "bytes": out.stat().st_size,
    }
    assert (os.listdir(tmp_path), out.stat().st_mode & 0o777) == (["out.html"], 0o600)
    assert INCIDENT.read_bytes() == content
    _, told = recording_in(out)
    assert (told["cluster"]["name"], told["redacted"], len(told["events"]["what"])) == (
        "incident",
        False,
        539,
    )


def test_a_span_begins_and_ends_at_its_points_also_where_nothing_happened(tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    stored(tmp_path / "log.db", history(20, step=10.0))
    done = run("page", tmp_path / "log.db", "-o", out, "--from", "+34s", "--to", "-75s")
    assert done.exit_code == 0, done.output
    _, told = recording_in(out)
    start = 1_750_000_010.0
    assert told["from"] == {"seq": 4, "time": start + 34}
    assert told["to"] == {"seq": 12, "time": start + 115}
    first, second, *_ = told["events"]["time"]  # from the whole second before --from, in milliseconds
    assert (told["base"], told["unit"], first, second) == (int(start + 34), 1000, 6_000, 10_000)


def test_the_same_log_is_the_same_page(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert run("page", INCIDENT, "-o", tmp_path / name).exit_code == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_state_alone_is_a_page(tmp_path: Path) -> None:
    assert run("page", INCIDENT, "-o", tmp_path / "out.html", "--from", "seq:539").exit_code == 0
    _, told = recording_in(tmp_path / "out.html")
    assert (len(told["added"]["uid"]), told["events"]["what"]) == (20, [])


@pytest.mark.parametrize("after", ["seq:0", "seq:7"])
def test_no_name_of_the_original_is_in_a_redacted_page(tmp_path: Path, after: str) -> None:
    stored(tmp_path / "log.db", acme())
    out = tmp_path / "out.html"
    assert run("page", tmp_path / "log.db", "-o", out, "--from", after, "--redact").exit_code == 0
    packed, told = recording_in(out)
    assert told["redacted"] is True
    found = json.dumps(told, ensure_ascii=False)
    wanted = originals(tmp_path / "log.db")
    assert wanted >= {"ip-10-0-17-23.eu.acme.internal", "ledger", "team-blue", "cc-81234", "r-april", "prod"}
    assert [each for each in wanted if each in found] == []
    for part in ("acme", "blue", "ledger", "vault", "10.0.17", "10-0-17", "Blue", "basement", "calm"):
        assert part not in found
    # Beside the recording there is the page only, which is the same for all.
    assert run("page", INCIDENT, "-o", tmp_path / "other.html").exit_code == 0
    other, _ = recording_in(tmp_path / "other.html")
    assert out.read_text().replace(packed, "") == (tmp_path / "other.html").read_text().replace(other, "")


def test_no_name_of_a_recorded_cluster_is_in_its_redacted_page(tmp_path: Path) -> None:
    assert run("page", INCIDENT, "-o", tmp_path / "out.html", "--redact", "--key", KEY).exit_code == 0
    _, told = recording_in(tmp_path / "out.html")
    texts = json.dumps(told, ensure_ascii=False)
    assert [each for each in originals(INCIDENT) if each in texts] == []


def test_a_page_of_a_redacted_log_is_that_log_and_says_that_it_is_redacted(tmp_path: Path) -> None:
    assert run("redact", INCIDENT, "-o", tmp_path / "shown.db", "--key", KEY).exit_code == 0
    assert run("page", tmp_path / "shown.db", "-o", tmp_path / "a.html").exit_code == 0
    (tmp_path / "key").write_text(KEY)
    done = run("page", INCIDENT, "-o", tmp_path / "b.html", "--redact", "--key-file", tmp_path / "key")
    assert done.exit_code == 0
    assert recording_in(tmp_path / "a.html") == recording_in(tmp_path / "b.html")
    assert recording_in(tmp_path / "a.html")[1]["redacted"] is True


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--from", "seq:540"], 2, "the last one is seq:539"),
        (["--from", "seq:9", "--to", "seq:8"], 2, "--to seq:8 is before --from seq:9; give the earlier one"),
        (["--from", "noon"], 2, "--from"),
        (["--to", "seq:0"], 2, "nothing is recorded in that span: there is nothing to replay"),
        (["--key", KEY], 2, "--key is for --redact, which is not given"),
        (["--key-file", "key"], 2, "--key-file is for --redact, which is not given"),
    ],
)
def test_what_cannot_be_makes_no_file(tmp_path: Path, options: list[str], code: int, says: str) -> None:
    done = run("page", INCIDENT, "-o", tmp_path / "out.html", *options)
    assert (done.exit_code, os.listdir(tmp_path)) == (code, [])
    assert says in done.stderr


def test_a_file_that_is_there_is_replaced_by_force_alone(tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    out.write_text("mine")
    done = run("page", INCIDENT, "-o", out)
    assert (done.exit_code, out.read_text()) == (2, "mine")
    assert "it is there already" in done.stderr
    assert run("page", INCIDENT, "-o", out, "--force").exit_code == 0
    assert "<html" in out.read_text()
    done = run("page", out, "-o", out, "--force")
    assert (done.exit_code, "that is never changed" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("limit", "most", "says"),
    [
        ("MOST_BYTES", 100_000, "of which browsers take 100,000; give a shorter span with --from and --to"),
        (
            "MOST_EVENTS",
            500,
            "539 events after a state of 0 objects are more than a browser takes at once (500)",
        ),
    ],
)
def test_what_no_browser_takes_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int, says: str
) -> None:
    monkeypatch.setattr("kstream.commands.log.page." + limit, most)
    done = run("page", INCIDENT, "-o", tmp_path / "out.html")
    assert (done.exit_code, os.listdir(tmp_path)) == (2, [])
    assert says in done.stderr


@pytest.mark.parametrize("options", [[], ["--redact"]])
def test_what_is_no_resource_is_damage(tmp_path: Path, options: list[str]) -> None:
    stored(
        tmp_path / "log.db",
        [WatchEvent(Verb.ADDED, ObjectKey(Kind.NAMESPACE, "", "n", "u"), "1", 1.0, b"[1]")],
    )
    done = run("page", tmp_path / "log.db", "-o", tmp_path / "out.html", *options)
    assert (done.exit_code, os.listdir(tmp_path)) == (6, ["log.db"])
    assert "event 1 is no resource (its body is no object)" in done.stderr


def test_an_empty_log_has_nothing_to_replay(tmp_path: Path) -> None:
    stored(tmp_path / "log.db", [])
    done = run("page", tmp_path / "log.db", "-o", tmp_path / "out.html")
    assert (done.exit_code, os.listdir(tmp_path)) == (2, ["log.db"])
    assert "nothing is recorded" in done.stderr
