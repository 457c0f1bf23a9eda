"""Scenarios: what the cluster is like, and what befalls it. YAML in, validated; errors name line and key."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from kstream.core.errors import ConfigError
from kstream.sources.documents import read_document, told
from simulator.story.actions import NAME, AnyAction, Model, WorkloadSpec
from simulator.story.durations import Seconds

DEFAULT = "tour"


class Autoscaler(Model):
    """The cluster autoscaler: adds nodes when pods are pending, and takes them away when little needs them."""

    most: int = Field(ge=1, description="Nodes in all, at most")
    delay: Seconds = Field(default=45.0, description="From the need to the node")
    idle: Seconds = Field(default=120.0, description="How long a node that it added may be nearly empty")


class ClusterSpec(Model):
    name: str = Field(default="sim", pattern=NAME)
    version: str = Field(default="v1.36.2", pattern=r"^v\d+\.\d+\.\d+$")
    nodes: int = Field(default=5, ge=1, le=20_000, description="In all, control planes included")
    control_planes: int = Field(default=1, ge=0)
    zones: tuple[str, ...] = Field(default=("zone-a", "zone-b", "zone-c"), min_length=1)
    cpu: int = Field(default=8000, ge=100, description="Of a node, in millicores")
    memory: int = Field(default=32, ge=1, description="Of a node, in GiB")
    pods_per_node: int = Field(default=110, ge=1)
    pods: int | None = Field(
        default=None, ge=0, description="Pods in all: background workloads are added until there are so many"
    )
    autoscaler: Autoscaler | None = None


class Scenario(Model):
    """A cluster, what runs in it at the start, and a timeline."""

    name: str = Field(pattern=NAME)
    summary: str = Field(description="One line")
    description: str = ""
    duration: Seconds = Field(default=600.0, description="How long it is worth watching")
    cluster: ClusterSpec = ClusterSpec()
    churn: float | None = Field(
        default=None, ge=0, le=10_000, description="Events a second; one for 200 pods unless told otherwise"
    )
    workloads: tuple[WorkloadSpec, ...] = ()
    timeline: tuple[AnyAction, ...] = ()

    def digest(self) -> str:
        """What makes two runs the same scenario: its content, not its file."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def adapted(
        self, *, nodes: int | None = None, pods: int | None = None, churn: float | None = None
    ) -> Scenario:
        """The same with other numbers. Raises ConfigError for numbers that cannot be."""
        changed: dict[str, Any] = {}
        if nodes is not None:
            changed["nodes"] = nodes
        if pods is not None:
            changed["pods"] = pods
        scenario = self
        try:
            if changed:
                cluster = ClusterSpec.model_validate({**self.cluster.model_dump(), **changed})
                scenario = scenario.model_copy(update={"cluster": cluster})
            if churn is not None:
                scenario = scenario.model_copy(update={"churn": churn})
        except ValidationError as error:
            first = error.errors()[0]
            raise ConfigError(f"--{first['loc'][0]} {first['input']}: {first['msg']}") from None
        return scenario


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
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Cannot read the scenario {name}: {error}") from None
    return parse_scenario(text, where=name)


def parse_scenario(text: str, *, where: str) -> Scenario:
    """Raises ConfigError with `where`, line and key of everything that is wrong."""
    try:
        tree, value = read_document(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where} is not YAML: {told(error)}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{where} is not a scenario: it must be a mapping with `name` and `summary`")
    try:
        return Scenario.model_validate(value)
    except ValidationError as error:
        wrong = []
        for problem in error.errors():
            line, key = _locate(tree, problem["loc"])
            wrong.append(f"{where}, line {line}: {key}: {_explain(problem)}")
        raise ConfigError("; ".join(wrong)) from None


def _explain(problem: Any) -> str:
    if problem["type"] == "extra_forbidden":
        return "there is no such key"
    if problem["type"] == "missing":
        return "this key is missing"
    return str(problem["msg"]).removeprefix("Value error, ")


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
