"""Words of one's own by which things are found again, typed on one line with 、 between them."""

from __future__ import annotations

import re
from typing import Any

from werkzeug.datastructures import MultiDict

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget

MOST, LONGEST = 20, 20
_BETWEEN = re.compile(r"[、，,;；\s]+")


class Tags(Widget):
    def read_html(self, field: Field, posted: MultiDict[str, str], name: str) -> Any:
        return split_tags(posted.get(name) or "") or None

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        words = split_tags(value) if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise Problems("标签是几个词，用顿号隔开。")
        if len(words) > MOST:
            raise Problems(f"最多 {MOST} 个标签，现在 {len(words)} 个。")
        if any(len(word) > LONGEST for word in words):
            raise Problems(f"每个标签最多 {LONGEST} 个字。")
        return list(dict.fromkeys(word.strip() for word in words if word.strip())) or None

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        return "、".join(value) if isinstance(value, list) else str(value)

    def from_feel(self, field: Field, value: Any) -> Any:
        return [str(word) for word in value] if isinstance(value, list) else None


def split_tags(text: str) -> list[str]:
    """The words in ``text``, each once."""
    return list(dict.fromkeys(filter(None, _BETWEEN.split(text.strip()))))


widget = Tags()
