"""Icons on a 24 grid, stroke 1.75, drawn inline so that nothing flashes."""
from __future__ import annotations

from markupsafe import Markup

PATHS = {
    "desk": "M4 13h4l1.5 3h5L16 13h4M4 13l2.5-8h11L20 13v6H4z",
    "case": "M3 7V5h6l2 2h10v12H3zM3 11h18",
    "table": "M4 5h16v14H4zM4 10h16M4 14.5h16M10 10v9",
    "chart": "M4 20h16M7 16v-5M12 16V6M17 16v-8",
    "clock": "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.5V12l3 2",
    "flow": "M3 9h5v6H3zM16 9h5v6h-5zM12 8.5 15 12l-3 3.5L9 12zM8 12h1M15 12h1",
    "gear": "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
    "search": "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 20 20",
    "bell": "M6 17V11a6 6 0 0 1 12 0v6l1.5 1h-15zM10 21h4",
    "down": "m7 10 5 5 5-5",
    "up": "m7 14 5-5 5 5",
    "left": "m14 7-5 5 5 5",
    "x": "m6 6 12 12M18 6 6 18",
    "plus": "M12 5v14M5 12h14",
    "user": "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4.5 20a7.5 7.5 0 0 1 15 0",
    "print": "M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z",
    "undo": "M9 6 4.5 10.5 9 15M5 10.5h9a5 5 0 0 1 0 10h-3",
    "more": "M6 12h.01M12 12h.01M18 12h.01",
    "edit": "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
    "check": "m5 12.5 4.5 4.5L19 7.5",
    "camera": "M4 8h4l1.5-2.5h5L16 8h4v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z",
    "trash": "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
    "pin": "M12 21s-6.5-6-6.5-11a6.5 6.5 0 0 1 13 0c0 5-6.5 11-6.5 11zM12 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
    "eye": "M2.5 12S6 6 12 6s9.5 6 9.5 6-3.5 6-9.5 6-9.5-6-9.5-6zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
    "warn": "M12 4 21 19H3zM12 10v4M12 16.6v.01",
    "shield": "M12 3.5 19 6v6c0 4-3 7-7 8.5C8 19 5 16 5 12V6zM9 12l2.2 2.2L15 10",
    "file": "M6 3.5h8l4 4v13H6zM14 3.5v4h4M9 12h6M9 15.5h6",
    "load": "M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14",
    "send": "M12 20V8M7.5 12 12 7.5 16.5 12M5 4h14",
    "list": "M4 6h16M4 12h16M4 18h16",
    "star": "m12 4 2.4 5.2 5.6.6-4.2 3.8 1.2 5.6-5-2.9-5 2.9 1.2-5.6L4 9.8l5.6-.6z",
}
LOGO = Markup(
    '<svg viewBox="0 0 36 36" width="{0}" height="{0}" fill="none" stroke="currentColor" stroke-width="2.25" stroke-linejoin="round" '
    'stroke-linecap="round" aria-hidden="true"><path d="M18 4 32 18 18 32 4 18z"/><path d="m12.5 18 4 4 7.5-8"/></svg>'
)


def icon(name: str) -> Markup:
    """The icon ``name`` as inline SVG, hidden from screen readers; raises KeyError for a name that isn't drawn."""
    return Markup('<svg class="i" viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/></svg>').format(PATHS[name])


def logo(size: int) -> Markup:
    """The platform's mark, ``size`` pixels wide."""
    return LOGO.format(size)
