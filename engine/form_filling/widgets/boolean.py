"""Yes or no."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget


class Boolean(Widget):
    """``x-gc.words`` gives the two words, [是, 否] by default."""

    control = False
    verb = "选择"

    def read_html(self, field: Field, posted: MultiDict[str, str], name: str) -> Any:
        return {"true": True, "false": False}.get(posted.get(name, ""))

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if not isinstance(value, bool):
            raise Problems(f"请选择“{'”或“'.join(words(field))}”。")
        return value

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        yes, no = words(field)
        return yes if value else no

    def from_feel(self, field: Field, value: Any) -> Any:
        return value if isinstance(value, bool) else None


def words(field: Field) -> tuple[str, str]:
    """The word for true and the word for false."""
    yes, no = field.gc.get("words", ("是", "否"))
    return yes, no


widget = Boolean()
