"""Text of several lines."""

from __future__ import annotations

from engine.form_filling.widgets.base import Widget


class TextArea(Widget):
    """Text of several lines; ``x-gc.rows`` sets the height in lines."""


widget = TextArea()
