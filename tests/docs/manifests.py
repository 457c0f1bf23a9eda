"""Kubernetes manifests: what they tell kstream it takes, and what they ask of it it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, Final

from tests.docs.names import variables
from tests.docs.shell import parsed

_WATCHED: Final = frozenset({"nodes", "pods", "namespaces"})
_READS: Final = frozenset({"get", "list", "watch"})
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})


def problems(manifest: Mapping[str, Any], served: frozenset[str]) -> Iterator[str]:
    """What is wrong with a manifest; `served` are the paths that a server answers.

    Raises AssertionError for a command that kstream does not take.
    """
    missing = {"apiVersion", "kind", "metadata"} - set(manifest)
    if missing or "name" not in manifest["metadata"]:
        yield f"{sorted(missing) or 'metadata.name'} is missing"
        return
    if manifest["kind"] in ("Role", "ClusterRole"):
        yield from _rules(manifest)
    spec = manifest.get("spec", {})
    for container in (
        *spec.get("containers", ()),
        *spec.get("template", {}).get("spec", {}).get("containers", ()),
    ):
        yield from _container(container, served)


def _rules(role: Mapping[str, Any]) -> Iterator[str]:
    for rule in role["rules"]:
        if not set(rule["resources"]) <= _WATCHED or not set(rule["verbs"]) <= _READS:
            yield f"a role for {rule['verbs']} of {rule['resources']}: kstream reads nodes, pods and namespaces"


def _container(container: Mapping[str, Any], served: frozenset[str]) -> Iterator[str]:
    words = [str(word) for word in (*container.get("command", ()), *container.get("args", ()))]
    if words and PurePath(words[0]).name == "kstream":
        words = words[1:]
    elif "kstream" not in container["image"]:
        return
    given = parsed(words).params
    for variable in container.get("env", ()):
        if variable["name"].startswith("KSTREAM_") and variable["name"] not in variables():
            yield f"no option is set by {variable['name']}"
    ports = {port["containerPort"] for port in container.get("ports", ())}
    names = {port.get("name") for port in container.get("ports", ())}
    if ports and ports != {given["port"]}:
        yield f"it listens on {given['port']}, and not on {sorted(ports)}"
    if ports and given["host"] not in _EVERYWHERE:
        yield f"nothing outside of the pod reaches {given['host']}: --host 0.0.0.0"
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        asked = container.get(probe, {}).get("httpGet")
        if asked is not None and asked["path"] not in served:
            yield f"{probe}: nothing is at {asked['path']}"
        if asked is not None and asked["port"] not in {given["port"], *names}:
            yield f"{probe}: nothing is on port {asked['port']}"
