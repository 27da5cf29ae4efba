"""Templates of the one renderer. Autoescape is on everywhere; macros take one argument and no context."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

# 24×24 outlines, drawn with the strokes of class "i".
ICONS = {
    "check": "m5 12.5 4.5 4.5L19 7.5",
    "plus": "M12 5v14M5 12h14",
    "camera": "M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z",
    "trash": "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
    "edit": "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
    "file": "M7 3h7l4 4v14H7zM14 3v4h4",
    "upload": "M12 16V5M8 9l4-4 4 4M5 19h14",
    "pen": "M4 20c4-1 5-7 8-7s2 4 5 3 3-3 3-3M14 10l5-6 2 2-5 5z",
}


def icon(name: str) -> Markup:
    """An outline that says nothing to a screen reader."""
    return Markup('<svg class="i" viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/></svg>').format(ICONS[name])


@cache
def environment() -> Environment:
    """The renderer's own Jinja environment."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True, auto_reload=False
    )
    made.globals["icon"] = icon
    made.filters["megabytes"] = lambda size: f"{size / 2**20:.1f} 兆" if size >= 2**20 else f"{max(1, size // 1024)} KB"
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    return made


@cache
def macros(name: str) -> Any:
    """The macros of one template, as attributes."""
    return environment().get_template(name).module
