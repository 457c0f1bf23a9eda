"""What the fields of scenarios and actions have in common: names as Kubernetes has them, texts, spans; all bounded."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from kstream.core.amounts import seconds
from kstream.core.errors import ConfigError
from simulator.cluster import bounds

_LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"  # of a DNS name
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_WORD = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"  # of a label of Kubernetes

Name = Annotated[str, Field(pattern=f"^{_LABEL}$", description="A DNS label: lower case letters, digits, -")]
WorkloadName = Annotated[str, Field(pattern=f"^{_SUBDOMAIN}$", max_length=63)]
NodeName = Annotated[str, Field(pattern=f"^{_SUBDOMAIN}$", max_length=253, description="A node: node-3")]
Path = Annotated[
    str,
    Field(pattern=f"^{_LABEL}/{_SUBDOMAIN}$", max_length=317, description="namespace/name: shop/web"),
]
Image = Annotated[str, Field(pattern="^[!-~]+$", max_length=255)]
Version = Annotated[str, Field(pattern=r"^v[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}$")]
LabelKey = Annotated[str, Field(pattern=f"^({_SUBDOMAIN}/)?{_WORD}$", max_length=317)]
LabelValue = Annotated[str, Field(pattern=f"^({_WORD})?$")]
Labels = Annotated[dict[LabelKey, LabelValue], Field(max_length=bounds.LABELS)]
Share = Annotated[int, Field(ge=0, le=bounds.REPLICAS)] | Annotated[str, Field(pattern="^[0-9]{1,3}%$")]


def _parse(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return seconds(value)
        except ConfigError as error:
            raise ValueError(str(error)) from None
    return value


# A string with units, or a number of seconds.
Seconds = Annotated[
    float,
    BeforeValidator(_parse, json_schema_input_type=str | float),
    Field(
        ge=0,
        le=bounds.SPAN,
        description="A span of time, 365d at most: 90s, 1m30s, 2h, 500ms, or a number of seconds",
    ),
]


class Model(BaseModel):
    """Of a scenario: an unknown key is an error, and so is a number that is none."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
