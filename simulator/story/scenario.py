"""Scenarios: what the cluster is like, and what befalls it. YAML in, validated; errors name line and key."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from kstream.core.errors import ConfigError
from kstream.core.wording import worded
from kstream.documents import read_document, told
from simulator.cluster import bounds
from simulator.story.actions import AnyAction
from simulator.story.fields import Model, Name, Seconds, Version
from simulator.story.workloads import WorkloadSpec

DEFAULT = "tour"
_SAID = 20  # mistakes that one message tells of
_Line = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]


class Autoscaler(Model):
    """The cluster autoscaler: adds nodes when pods are pending, and takes them away when little needs them."""

    most: int = Field(ge=1, le=bounds.NODES, description="Nodes in all, at most")
    delay: Seconds = Field(default=45.0, description="From the need to the node")
    idle: Seconds = Field(default=120.0, description="How long a node that it added may be nearly empty")


class ClusterSpec(Model):
    name: Name = "sim"
    version: Version = "v1.36.2"
    nodes: int = Field(default=5, ge=1, le=bounds.NODES, description="In all, control planes included")
    control_planes: int = Field(default=1, ge=0, le=bounds.NODES)
    zones: tuple[Name, ...] = Field(
        default=("zone-a", "zone-b", "zone-c"), min_length=1, max_length=bounds.ZONES
    )
    cpu: int = Field(default=8000, ge=100, le=bounds.CPU, description="Of a node, in millicores")
    memory: int = Field(default=32, ge=1, le=bounds.NODE_MEMORY, description="Of a node, in GiB")
    pods_per_node: int = Field(default=110, ge=1, le=bounds.PODS_PER_NODE)
    pods: int | None = Field(
        default=None,
        ge=0,
        le=bounds.PODS,
        description="Pods in all: background workloads are added until there are so many",
    )
    autoscaler: Autoscaler | None = None


class Scenario(Model):
    """A cluster, what runs in it at the start, and a timeline."""

    name: Name
    summary: _Line = Field(description="One line")
    description: str = Field(default="", max_length=10_000)
    duration: Seconds = Field(default=600.0, description="How long it is worth watching")
    cluster: ClusterSpec = ClusterSpec()
    churn: float | None = Field(
        default=None,
        ge=0,
        le=bounds.CHURN,
        description="Events a second; one for 200 pods unless told otherwise",
    )
    workloads: tuple[WorkloadSpec, ...] = Field(default=(), max_length=bounds.SCENARIO_WORKLOADS)
    timeline: tuple[AnyAction, ...] = Field(default=(), max_length=bounds.TIMELINE)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """What it has at the start is within the bounds of a cluster; what befalls it later is looked at then."""
        nodes = self.cluster.nodes
        asked = [(spec, spec.pods(nodes)) for spec in self.workloads]
        system = nodes + 2  # kube-proxy and CoreDNS
        named = system + sum(pods for _, pods in asked)
        containers = system + sum(pods * spec.containers_of_a_pod for spec, pods in asked)
        background = max(0, (self.cluster.pods or 0) - named)
        for what, there, most in (
            ("pods", named, bounds.PODS),
            ("containers", containers + 2 * background, bounds.CONTAINERS),
            ("namespaces", len({spec.namespace for spec in self.workloads}), bounds.NAMESPACES // 2),
        ):
            if there > most:
                raise ValueError(f"there would be {there} {what} at the start: {most} is the most")
        return self

    def digest(self) -> str:
        """What makes two runs the same scenario: its content, not its file."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def adapted(
        self, *, nodes: int | None = None, pods: int | None = None, churn: float | None = None
    ) -> Scenario:
        """The same with other numbers. Raises ConfigError for numbers that cannot be."""
        size = {"nodes": nodes, "pods": pods}
        changed = {key: value for key, value in size.items() if value is not None}
        if not changed and churn is None:
            return self
        cluster = {**self.cluster.model_dump(), **changed}
        rate = self.churn if churn is None else churn
        content = {name: getattr(self, name) for name in Scenario.model_fields}
        try:
            return Scenario.model_validate({**content, "cluster": cluster, "churn": rate})
        except ValidationError as error:
            first = error.errors()[0]
            if not first["loc"]:
                raise ConfigError(f"The scenario does not fit: {worded(first)}") from None
            raise ConfigError(
                f"--{first['loc'][-1]} {first['input']}: {worded({**first, 'input': None})}"
            ) from None


def shipped() -> list[str]:
    """The names of the scenarios that come with kstream."""
    folder = resources.files("simulator") / "scenarios"
    return sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml"))


def load_scenario(name: str) -> Scenario:
    """A shipped scenario by its name, or one from a file. Raises ConfigError."""
    if name in shipped():
        text = (resources.files("simulator") / "scenarios" / f"{name}.yaml").read_text("utf-8")
        return parse_scenario(text, where=f"{name}.yaml")
    path = Path(name)
    if not path.is_file():
        raise ConfigError(
            f"There is no scenario {name!r}: it is neither a file nor one of {', '.join(shipped())}"
        )
    try:
        with path.open("rb") as file:
            content = file.read(bounds.SCENARIO_BYTES + 1)
        if len(content) > bounds.SCENARIO_BYTES:
            raise ConfigError(_too_large(name))
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Cannot read the scenario {name}: {error}") from None
    return parse_scenario(text, where=name)


def parse_scenario(text: str, *, where: str) -> Scenario:
    """Raises ConfigError with `where`, line and key of what is wrong; and, before it is read, for what is too large."""
    if len(text.encode("utf-8", "replace")) > bounds.SCENARIO_BYTES:
        raise ConfigError(_too_large(where))
    try:
        tree, value = read_document(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where} is not YAML: {told(error)}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is not a scenario: it must be a mapping with `name` and `summary`")
    try:
        return Scenario.model_validate(value)
    except ValidationError as error:
        problems = error.errors()
        wrong = []
        for problem in problems[:_SAID]:
            line, key = _locate(tree, problem["loc"])
            wrong.append(f"{where}, line {line}: {key + ': ' if key else ''}{worded(problem)}")
        if len(problems) > _SAID:
            wrong.append(f"and {len(problems) - _SAID} more")
        raise ConfigError("; ".join(wrong)) from None


def _too_large(where: str) -> str:
    return f"{where} is too large for a scenario: {bounds.SCENARIO_BYTES} bytes is the most"


def _locate(tree: yaml.Node | None, location: tuple[int | str, ...]) -> tuple[int, str]:
    """The line (from 1) of a place in the document, and the place as a path of keys."""
    node, line, path = tree, 1, ""
    for part in location:
        if isinstance(node, yaml.MappingNode):
            # A part that is no key is the name of a union's branch, or of a key that is missing.
            for key, value in node.value:
                if key.value == part:
                    node, line, path = value, key.start_mark.line + 1, f"{path}.{part}" if path else str(part)
                    break
            else:
                if part == location[-1]:
                    path = f"{path}.{part}" if path else str(part)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line, path = node.start_mark.line + 1, f"{path}[{part}]"
    return line, path
