"""One kubeconfig file: what is in it, by name, and what is wrong with it, by field and never by value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kstream.core.errors import ConfigError
from kstream.sources.kubeconfigfile import LARGEST, Cluster, Entries, User, encoded, read_kubeconfig


def read(folder: Path, content: Any) -> Entries:
    path = folder / "config"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    entries = read_kubeconfig(path)
    assert entries is not None
    return entries


def refusal(folder: Path, content: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        read(folder, content)
    said = str(refused.value)
    assert said.startswith(f"Kubeconfig {folder / 'config'}")
    return said.removeprefix(f"Kubeconfig {folder / 'config'}")


def test_entries_are_known_by_their_names(tmp_path: Path) -> None:
    entries = read(
        tmp_path,
        {
            "kind": "Config",
            "apiVersion": "v1",
            "current-context": "a",
            "clusters": [
                {"name": "c", "cluster": {"server": "https://h", "certificate-authority-data": "UEVN"}}
            ],
            "users": [{"name": "u", "user": {"token": "t", "as-groups": ["g", None]}}, {"name": "empty"}],
            "contexts": [{"name": "a", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
            "another": {"field": 1},
        },
    )
    assert entries.current_context == "a"
    assert entries.clusters == {
        "c": Cluster.model_validate({"server": "https://h", "certificate-authority-data": "UEVN"})
    }
    assert entries.clusters["c"].certificate_authority_data == b"PEM"
    assert entries.users["u"].as_groups == ["g", ""], "null in a list is an empty text"
    assert entries.users["empty"] == User()
    assert (entries.contexts["a"].cluster, entries.contexts["a"].namespace) == ("c", "n")


@pytest.mark.parametrize("content", ["", "# nothing\n", "---\n", "null"])
def test_an_empty_file_among_several_has_nothing(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == Entries()


def test_null_is_the_same_as_not_there(tmp_path: Path) -> None:
    entries = read(
        tmp_path,
        {"clusters": [None, {"name": "c", "cluster": None}], "users": None, "current-context": None},
    )
    assert entries.clusters == {"": Cluster(), "c": Cluster()}
    assert (entries.users, entries.current_context) == ({}, "")


def test_paths_are_absolute_and_a_command_without_a_folder_is_not_one(tmp_path: Path) -> None:
    users = [
        {"name": "a", "user": {"client-key": "k", "tokenFile": "../t", "exec": {"command": "bin/plugin"}}},
        {"name": "b", "user": {"client-certificate": "/c", "exec": {"command": "plugin"}}},
    ]
    entries = read(tmp_path, {"users": users})
    a, b = entries.users["a"], entries.users["b"]
    assert (a.client_key, a.token_file) == (str(tmp_path / "k"), str(tmp_path.parent / "t"))
    assert (b.client_certificate, b.client_key) == ("/c", "")
    assert a.exec is not None
    assert b.exec is not None
    assert (a.exec.command, b.exec.command) == (str(tmp_path / "bin" / "plugin"), "plugin")


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_kubeconfig(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("path", "cause"), [("", "Is a directory"), ("a\0b", "it is no path"), ("x" * 300, "File name too long")]
)
def test_a_file_that_cannot_be_read_is_named_with_its_cause(tmp_path: Path, path: str, cause: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_kubeconfig(tmp_path / path)
    assert str(refused.value) == (
        f"Kubeconfig {tmp_path / path} cannot be read: {cause}; check its name and mode"
    )


def test_a_file_has_eight_mebibytes_at_most(tmp_path: Path) -> None:
    assert read(tmp_path, b"#" * LARGEST) == Entries()
    assert refusal(tmp_path, b"#" * (LARGEST + 1)) == " has more than 8 MiB; leave in it what kstream needs"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {"users": [{"name": "u", "user": {"token": 7}}]},
            ": users[0].user.token is no text; write it in quotes",
        ),
        (
            {"clusters": [{"cluster": {"insecure-skip-tls-verify": "secret"}}]},
            ": clusters[0].cluster.insecure-skip-tls-verify is neither true nor false; "
            "write one of them, without quotes",
        ),
        ({"contexts": {"secret": 1}}, ": contexts is no list; correct it"),
        (
            {"users": [{}, {"user": {"client-key-data": "secret!"}}]},
            ": users[1].user.client-key-data is no base64; write the base64 of the PEM file",
        ),
        ({"users": ["secret"]}, ": users[0] is no mapping; correct it"),
        (
            {"users": [{"user": {"as-user-extra": {"k" * 99: "v"}}}]},
            f": users[0].user.as-user-extra.{'k' * 40} is no list; correct it",
        ),
        (
            {"users": [{"name": "u"}, {"name": "v"}, {"name": "u"}]},
            ": users has 'u' twice; remove one of them",
        ),
        (["secret"], " is no kubeconfig: it has no clusters, users and contexts"),
        (
            {"kind": "Secret"},
            " is no kubeconfig: with kind and apiVersion, they are Config and v1; correct them",
        ),
        (
            {"apiVersion": "v2"},
            " is no kubeconfig: with kind and apiVersion, they are Config and v1; correct them",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_place_and_not_repeated(
    tmp_path: Path, content: Any, said: str
) -> None:
    assert refusal(tmp_path, content) == said


def test_what_is_no_yaml_is_said_to_be_with_its_line(tmp_path: Path) -> None:
    said = refusal(tmp_path, "clusters: []\nusers: [secret")
    assert said.startswith(" is no YAML: ")
    assert "line 3, column 1" in said
    assert said.endswith("; correct it or write it anew")
    assert "secret" not in said


def test_what_an_entry_holds_is_not_in_its_text() -> None:
    user = User.model_validate({"token": "secret"})
    assert (repr(user), str(user)) == ("User", "User")


def test_data_is_written_as_a_kubeconfig_holds_it() -> None:
    assert encoded(b"PEM") == "UEVN"
    lines = Cluster.model_validate({"certificate-authority-data": "UE\r\nVN\n"})
    assert lines.certificate_authority_data == b"PEM"
