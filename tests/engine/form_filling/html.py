"""Reads rendered HTML in tests."""

from __future__ import annotations

from typing import Any

from lxml import html
from werkzeug.datastructures import MultiDict


class Page:
    """Rendered HTML. Paths are XPath without the leading ``//``."""

    def __init__(self, text: str) -> None:
        self.text = str(text)
        self.root = html.fromstring(f"<body>{text}</body>")

    def all(self, path: str) -> list[Any]:
        return list(self.root.xpath(f"//{path}"))

    def one(self, path: str) -> Any:
        found = self.all(path)
        assert len(found) == 1, (path, len(found))
        return found[0]


def controls(page: Page) -> set[str]:
    """Names of all controls that a browser would send."""
    return {
        control.get("name")
        for control in page.all("input|//select|//textarea")
        if control.get("name") and not control.xpath("ancestor::template")
    }


def posted_back(page: Page) -> MultiDict[str, str]:
    """What a browser sends when nothing is changed."""
    pairs = []
    for control in page.all("input[@name]|//select[@name]|//textarea[@name]"):
        if control.xpath("ancestor::template") or (control.get("type") in ("radio", "checkbox") and control.get("checked") is None):
            continue
        if control.tag == "select":
            chosen = control.xpath(".//option[@selected]") or control.xpath(".//option")
            value = chosen[0].get("value", chosen[0].text) if chosen else ""
        else:
            value = (control.text or "").removeprefix("\n") if control.tag == "textarea" else control.get("value", "")
        pairs.append((control.get("name"), value))
    return MultiDict(pairs)
