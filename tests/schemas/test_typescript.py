"""The messages as TypeScript: each form that a field may have. That tsc takes them is tried where a client is made."""

from __future__ import annotations

from kstream.schemas.messages import message_schema
from kstream.schemas.typescript import typescript

TEXT = typescript()


def test_every_definition_is_a_type_of_its_name() -> None:
    for name in message_schema(closed=False)["$defs"]:
        assert f"export interface {name} {{\n" in TEXT or f"export type {name} =" in TEXT, name


def test_fields_have_their_types_and_say_what_they_are() -> None:
    for line in (
        'type: "pod_event";',
        'action: "ADDED" | "MODIFIED";',
        "nodeName: string | null;",
        "owner?: Owner | null;",
        "labels: Record<string, string>;",
        "containers: Container[];",
        "podCount?: number;",
        'speed: number | "max";',
        "id?: string | number;",
        "labels?: string | null;",
        "/** null until it is scheduled. */",
    ):
        assert f"\n  {line}\n" in TEXT, line


def test_unions_are_named_long_ones_a_line_each() -> None:
    assert "export type PodEventMessage = PodChanged | PodDeleted;\n" in TEXT
    assert "export type ServerMessage =\n  | ConnectionMessage\n  | InitialStateMessage\n" in TEXT
    assert (
        "/** A pod is gone, or the filter no longer lets it through. */\nexport interface PodDeleted {"
        in TEXT
    )
