from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from kstream.core.errors import ConfigError
from kstream.sources.kubeconfig import KubeSettings, choose, config_paths, stamp


def write(path: Path, **sections: Any) -> Path:
    path.write_text(json.dumps(sections))
    return path


def cluster(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "cluster": {"server": f"https://{name}", **fields}}


def context(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "context": fields}


def user(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "user": fields}


def test_files_are_merged_as_kubectl_does_the_first_wins(tmp_path: Path) -> None:
    one = write(
        tmp_path / "one",
        **{"current-context": "a"},
        contexts=[context("a", cluster="x", user="u", namespace="shop")],
        users=[user("u", token="first")],
    )
    two = write(
        tmp_path / "two",
        **{"current-context": "b"},
        clusters=[cluster("x")],
        contexts=[context("b", cluster="x")],
        users=[user("u", token="second")],
    )
    choice = choose([one, two], None)
    assert choice.cluster.server == "https://x"
    assert choice.user.token == "first"
    assert (choice.cluster_name, choice.namespace) == ("x", "shop")
    other = choose([one, two], "b")
    assert (other.user.token, other.user_there) == ("", False)


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    (folder / "ca.crt").touch()
    path = write(
        folder / "config",
        **{"current-context": "a"},
        clusters=[cluster("x", **{"certificate-authority": "ca.crt"})],
        contexts=[context("a", cluster="x", user="u")],
        users=[
            user(
                "u",
                tokenFile="token",
                exec={
                    "command": "./plugin",
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "interactiveMode": "Never",
                },
                **{"client-key": "/k"},
            )
        ],
    )
    choice = choose([path], None)
    assert choice.cluster.certificate_authority == str(folder / "ca.crt")
    assert choice.user.token_file == str(folder / "token")
    assert choice.user.client_key == "/k"
    assert choice.user.exec is not None
    assert choice.user.exec.command == str(folder / "plugin")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("clusters: [", "no YAML"),
        ("just words", "no kubeconfig"),
        ("{}", "has no contexts; give one that has with --kubeconfig"),
        ('{"current-context": "a"}', "has no contexts; give one that has with --kubeconfig"),
        ('{"contexts": [{"name": "a"}]}', "no current context; choose one with --context: a"),
        ('{"current-context": "a", "contexts": {"name": "a"}}', "contexts is no list"),
        ('{"current-context": "a", "contexts": [{"context": {}}]}', "no context 'a'; it has: "),
        ('{"current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "x"}}]}', "cluster 'x'"),
        (
            '{"current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "x"}}],'
            ' "clusters": [{"name": "x", "cluster": {}}]}',
            "no server",
        ),
    ],
)
def test_what_is_wrong_is_said_with_the_name_of_the_file(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    with pytest.raises(ConfigError, match="config") as raised:
        choose([path], None)
    assert said in str(raised.value)


def test_an_unknown_context_is_answered_with_those_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "config", contexts=[context("b", cluster="x"), context("a", cluster="x")])
    with pytest.raises(ConfigError, match="no context 'c'; it has: a, b"):
        choose([path], "c")


def test_the_files_are_those_of_the_option_then_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(["/a", "", "/b"]))
    assert config_paths(KubeSettings()) == [Path("/a"), Path("/b")]
    assert config_paths(KubeSettings(kubeconfig="/c")) == [Path("/c")]


def test_in_a_pod_without_a_kubeconfig_the_service_account_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert config_paths(KubeSettings()) == [tmp_path / ".kube/config"]
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert config_paths(KubeSettings()) == []


def test_a_stamp_changes_with_a_file(tmp_path: Path) -> None:
    path = tmp_path / "config"
    absent = stamp([path])
    path.write_text("a")
    present = stamp([path])
    path.write_text("ab")
    assert len({absent, present, stamp([path])}) == 3
