"""A reader of pages: follows links, finds forms, fills each text field with the same hostile text, and says what is not inert."""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml import html

EVIL = "\"'><img src=x onerror=alert(1)><script>alert(1)</script>{{7*7}}"
SHORT = "\"'><img src=x onerror=alert(1)>"
TINY = "'\"><b>"
MARK = "onerror=alert(1)"
TEXTS = {"text", "search", "tel", "url", "email", ""}
LEAVE = re.compile(r"/logout|/sessions/|/end\b|/static/|/me/post\b|/login/")
"""Addresses that only end the crawler's own session, or carry no text."""


@dataclass
class Form:
    """One form of a page: where it goes, what it would send, and the names of the fields that took the hostile text."""

    page: str
    action: str
    values: list[tuple[str, str]]
    texts: tuple[str, ...]

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        """Forms that differ only in ids are one."""
        return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32,}", "*", self.action), self.texts


def parse(text: str) -> Any:
    return html.document_fromstring(text) if text.strip() else html.document_fromstring("<p></p>")


def alive(text: str) -> list[str]:
    """What would run, were this page shown: scripts of its own, handlers, script addresses, markup from the hostile text."""
    found = []
    for one in parse(text).iter():
        if not isinstance(one.tag, str):
            continue
        if one.tag == "script" and (not str(one.get("src", "")).startswith(("/", "http")) and one.get("type") not in ("application/json", "text/plain")):
            found.append(f"script: {(one.text or '')[:60]}")
        if one.tag in ("img", "b") and (one.get("src") == "x" or "onerror" in one.attrib):
            found.append("the hostile element itself")
        found += [f"{one.tag} {name}={value[:40]}" for name, value in one.attrib.items() if name.startswith("on")]
        found += [f"{one.tag} {name}={value[:40]}" for name, value in one.attrib.items() if name in ("href", "src", "action", "formaction") and re.match(r"\s*(javascript|vbscript|data:text/html)", value, re.I)]
    return found


def links(text: str, base: str) -> Iterator[str]:
    """Addresses on this site that the page leads to."""
    for one in parse(text).iter("a"):
        target = urldefrag(urljoin(base, one.get("href") or ""))[0]
        parts = urlsplit(target)
        if parts.scheme in ("", "http") and parts.netloc in ("", "localhost") and not LEAVE.search(parts.path):
            yield parts.path + (f"?{parts.query}" if parts.query else "")


def hostile(limit: int) -> str:
    return next((one for one in (EVIL, SHORT, TINY) if len(one) <= limit), TINY[:limit])


@dataclass
class Reader:
    """Filled forms of a page, with the hostile text in every text field."""

    seen: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)

    def forms(self, text: str, page: str) -> Iterator[Form]:
        """Every form (and every button with an address of its own) not met before that takes a text."""
        for one in parse(text).iter("form"):
            if (one.get("method") or "get").lower() != "post" and not one.get("hx-post"):
                continue
            values, texts = _filled(one)
            actions = {urljoin(page, one.get("hx-post") or one.get("action") or page)}
            actions |= {urljoin(page, str(button.get("formaction"))) for button in one.iter("button") if button.get("formaction")}
            for action in sorted(actions):
                made = Form(page=page, action=urlsplit(action).path, values=values, texts=texts)
                if texts and made.key not in self.seen and not LEAVE.search(made.action):
                    self.seen.add(made.key)
                    yield made


def _filled(form: Any) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    values, texts = [], []
    for one in form.iter("input", "textarea", "select"):
        name = one.get("name")
        if not name or "disabled" in one.attrib:
            continue
        kind = (one.get("type") or "").lower() if one.tag == "input" else one.tag
        if kind in TEXTS or kind == "textarea":
            if "csrf" not in name:
                values.append((name, hostile(int(one.get("maxlength") or 10_000))))
                texts.append(name)
        elif kind == "select":
            values += [(name, option.get("value") or "") for option in one.iter("option") if option.get("value")][:1]
        elif kind in ("checkbox", "radio"):
            if "checked" in one.attrib or kind == "checkbox":
                values.append((name, one.get("value") or "on"))
        elif kind not in ("file", "submit", "button", "image", "password"):
            values.append((name, one.get("value") or {"date": "2026-11-20", "datetime-local": "2026-11-20T10:00", "number": one.get("min") or "1", "time": "10:00"}.get(kind, "")))
    return values, tuple(sorted(set(texts)))
