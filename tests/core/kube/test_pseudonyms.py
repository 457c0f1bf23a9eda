"""Pseudonyms: alike where the originals were, of their shape, valid, and of nothing that the originals were."""

from __future__ import annotations

import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kstream.core.kube.pseudonyms import KEPT, Pseudonyms

LETTERS = "bcdfghjklmnpqrstvwxz2456789"
LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
WORD = f"[{LETTERS[:20]}][{LETTERS}]{{11}}"


def of(key: str, *nodes: str) -> Pseudonyms:
    return Pseudonyms(lambda text: hmac.digest(key.encode(), text, "sha256"), nodes=nodes)


WORDS = of("one", "node-1", "ip-10-0-1-23.ec2.internal")
stems = st.from_regex(r"[a-z]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
suffixes = st.text(LETTERS, min_size=5, max_size=5)
hashes = st.text(LETTERS, min_size=8, max_size=10)


@given(stems, hashes, suffixes, st.integers(0, 9999))
def test_a_pod_is_named_after_its_owner_still(owner: str, revision: str, suffix: str, ordinal: int) -> None:
    name = WORDS.name(owner)
    if len(f"{name}-{revision}-{suffix}") > 63:
        return
    replica_set = WORDS.name(f"{owner}-{revision}")
    assert replica_set == f"{name}-{WORDS.end(revision)}"
    assert WORDS.name(f"{owner}-{revision}-{suffix}") == f"{replica_set}-{WORDS.end(suffix)}"
    assert WORDS.name(f"{owner}-{suffix}") == f"{name}-{WORDS.end(suffix)}"
    assert WORDS.name(f"{owner}-{ordinal}") == f"{name}-{ordinal}"
    assert WORDS.name(f"{owner}-28391220-{suffix}") == f"{name}-28391220-{WORDS.end(suffix)}"
    assert (len(str(WORDS.end(revision))), len(str(WORDS.end(suffix)))) == (len(revision), len(suffix))


@given(st.text(max_size=300))
def test_every_pseudonym_is_a_name_that_kubernetes_takes(text: str) -> None:
    for made in (WORDS.name(text), WORDS.word(text)):
        assert text in KEPT or LABEL.fullmatch(made)
    assert WORDS.name(text) == of("one", "node-1", "ip-10-0-1-23.ec2.internal").name(text)


@given(st.sets(st.text(LETTERS, min_size=5, max_size=6), min_size=2, max_size=50))
def test_no_two_suffixes_become_one(texts: set[str]) -> None:
    made = {WORDS.end(text) for text in texts}
    assert len(made) == len(texts)
    assert all(re.fullmatch(f"[{LETTERS}]{{5,6}}", str(each)) for each in made)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("web", WORD),
        ("web-7d9f8c6b5d-x2x4z", f"{WORD}-[{LETTERS}]{{10}}-[{LETTERS}]{{5}}"),
        ("db-0", f"{WORD}-0"),
        ("db-007", WORD),  # no ordinal is written so
        ("report-20240117", f"{WORD}-20240117"),
        ("report-12345", WORD),
        ("job-3-x2x4z", f"{WORD}-3-[{LETTERS}]{{5}}"),
        ("redis-master", WORD),
        ("kube-proxy-node-1", f"{WORD}-{WORD}-1"),
        ("etcd-ip-10-0-1-23.ec2.internal", f"{WORD}-{WORD}"),
        ("ip-10-0-1-23", WORD),
        ("10-0-1-23", WORD),
        ("10.0.1.23", WORD),
        ("-5", WORD),
        ("default-5", "default-5"),
        ("kube-system", "kube-system"),
        ("a" * 253, WORD),
        ("a" + "-55555" * 40, WORD),
        ("a" + "-5" * 500_000, WORD),
        ("a" * 251 + "-5", f"{WORD}-5"),
        ("a" * 252 + "-5", WORD),
        ("Größe\0\udc80", WORD),
        ("", ""),
    ],
)
def test_a_name_keeps_the_shape_that_controllers_gave_it_and_nothing_else(name: str, shape: str) -> None:
    assert re.fullmatch(shape, WORDS.name(name))


def test_a_static_pod_is_named_after_its_node() -> None:
    for node in ("node-1", "ip-10-0-1-23.ec2.internal"):
        assert WORDS.name(f"etcd-{node}") == f"{WORDS.name('etcd')}-{WORDS.name(node)}"


def test_another_key_makes_other_words() -> None:
    other = of("two")
    for name in ("web", "web-7d9f8c6b5d", "10.0.0.1"):
        assert WORDS.name(name) != other.name(name)
    assert WORDS.uid("u") != other.uid("u")
    assert WORDS.end("x2x4z") != other.end("x2x4z")


def test_a_uid_is_a_uuid_also_where_it_is_a_name() -> None:
    uid = "7f443835-a24b-436c-b92a-279752340d57"
    made = WORDS.uid(uid)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made)
    assert WORDS.name(uid) == made != uid
    assert re.fullmatch(r"[0-9a-f-]{36}", WORDS.uid("uid-1"))


@pytest.mark.parametrize(
    ("image", "shape"),
    [
        ("nginx", WORD),
        ("nginx:1.27", f"{WORD}:{WORD}"),
        ("nginx:latest", f"{WORD}:latest"),
        ("registry.acme.test:5000/team/app", f"{WORD}/{WORD}/{WORD}"),
        ("acme.test/app:v1@sha256:abcd", f"{WORD}/{WORD}:{WORD}@sha256:[0-9a-f]{{64}}"),
        ("", ""),
    ],
)
def test_an_image_keeps_its_parts(image: str, shape: str) -> None:
    assert re.fullmatch(shape, WORDS.image(image))


def test_another_version_of_an_image_is_another_tag() -> None:
    one, other = WORDS.image("shop/web:1"), WORDS.image("shop/web:2")
    assert one.partition(":")[0] == other.partition(":")[0]
    assert one != other


def test_a_key_makes_the_same_words_today_as_it_did() -> None:
    """Logs that were redacted by other versions are still of one history."""
    assert [WORDS.name(name) for name in ("web-7d9f8c6b5d-x2x4z", "etcd-node-1", "db-0")] == [
        "l2xf2c9bp56t-jcjff4vjrn-zgrmd",
        "qtmvxpjxvbls-w4xrmhpddl4t-1",
        "js9p6tpf6pff-0",
    ]
    assert WORDS.uid("uid-1") == "10ea9ae2-ad96-fb49-2932-00f37af5cb22"
    assert WORDS.image("acme.test/app:v1@sha256:abcd") == (
        "hvqzwwfrmsgg/mzfcs8hqgs2s:pmz4bg7wfc58"
        "@sha256:bbe77a98f54d148c17c0f572a17efaee75461ee9e57a2414216df229e8ff52a8"
    )


def test_a_title_begins_with_a_capital_letter() -> None:
    assert re.fullmatch(f"[A-Z][{LETTERS}]{{11}}", WORDS.title("AcmeOperator"))
