"""Helpers to write ``gc`` attributes and elements into a diagram."""
from __future__ import annotations

import re

from lxml import etree

from engine.runtime.bpmn.errors import Finding, finding
from engine.runtime.bpmn.names import gc


def set_attribute(element: etree._Element, name: str, value: str) -> None:
    """Set ``gc:name`` unless the diagram says it already."""
    if value and element.get(gc(name)) is None:
        element.set(gc(name), value)


def word(text: str) -> str:
    """A snake_case name for a foreign one: ``Sales-Team`` → ``sales_team``; '' when nothing usable is left."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", text.strip())
    name = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")[:60]
    return name if re.match(r"[a-z]", name) else f"x_{name}" if name else ""


def note(element: etree._Element, message: str) -> Finding:
    """A warning about something foreign that has no meaning here."""
    owner = element if element.get("id") else next((up for up in element.iterancestors() if up.get("id")), element)
    return finding(owner.get("id", ""), "imported", f"「{owner.get('name') or owner.get('id', '')}」{message}", "warning")
