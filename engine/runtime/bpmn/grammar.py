"""Our extension's grammar, read from ``extension.json``: the moddle descriptor that the diagram editor uses too."""
from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

DESCRIPTOR = Path(__file__).with_name("extension.json")


@dataclass(frozen=True, slots=True)
class Grammar:
    """``elements``: gc element → its attributes → allowed values (None = any); ``attributes``: BPMN element → gc attributes it may carry."""

    elements: dict[str, dict[str, list[str] | None]]
    attributes: dict[str, dict[str, list[str] | None]]


def descriptor() -> dict[str, Any]:
    """The moddle descriptor as JSON."""
    loaded: dict[str, Any] = json.loads(DESCRIPTOR.read_text(encoding="utf-8"))
    return loaded


@lru_cache(maxsize=1)
def grammar() -> Grammar:
    """The grammar of the ``gc`` namespace."""
    elements: dict[str, dict[str, list[str] | None]] = {}
    attributes: dict[str, dict[str, list[str] | None]] = {}
    for kind in descriptor()["types"]:
        properties = {item["name"]: item.get("enum") for item in kind["properties"]}
        for extended in kind.get("extends", []):
            attributes.setdefault(_tag(extended.removeprefix("bpmn:")), {}).update(properties)
        if "superClass" in kind:
            elements[_tag(kind["name"])] = properties
    return Grammar(elements=elements, attributes=attributes)


def _tag(name: str) -> str:
    return name[0].lower() + name[1:]
