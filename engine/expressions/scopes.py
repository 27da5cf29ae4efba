"""Compile-time scopes. At run time a scope is one dict: names of the context as str keys, local variables under small numbers."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Scope = dict[Any, Any]
Code = Callable[[Scope], Any]


@dataclass(slots=True)
class Frame:
    """Names bound at one place; or, when ``item_slot`` is set, a filter, where the item's entries are names too."""

    parent: Frame | None
    names: dict[str, int] = field(default_factory=dict)
    item_slot: int | None = None
    used: bool = False


def resolve(name: str, frame: Frame | None) -> tuple[list[int], int | None]:
    """The filters to ask first (inside out), then the slot of a local variable, or None for a name of the context."""
    filters: list[int] = []
    while frame is not None:
        if frame.item_slot is not None:
            frame.used = True
            filters.append(frame.item_slot)
            if name == "item":
                return filters, frame.item_slot
        elif name in frame.names:
            frame.used = True
            return filters, frame.names[name]
        frame = frame.parent
    return filters, None
