"""What every kind of field can do. A kind overrides what differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from engine.form_filling.problems import Problems

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from engine.form_filling.context import FormContext
    from engine.form_filling.model import Field


class Widget:
    """A single line of text, and the defaults of all other kinds.

    block   True: the widget takes the whole width of its group and writes its own headings
    control True: one HTML control carries the field's id, so that a <label for> can name it
    verb    how a message asks for a value: 填写, 选择, 上传
    """

    block: ClassVar[bool] = False
    control: ClassVar[bool] = True
    verb: ClassVar[str] = "填写"

    def read_html(self, field: Field, posted: MultiDict[str, str], name: str) -> Any:
        """What was typed under ``name``, untouched but for blanks around it; None when nothing was."""
        text = posted.get(name)
        return None if text is None or not text.strip() else text.strip()

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        """The value as it is stored; None when empty. Raises Problems."""
        if not isinstance(value, str):
            raise Problems(f"“{field.title}”应是文字。")
        return value.replace("\r\n", "\n").replace("\x00", "").strip() or None

    def misfit(self, field: Field, value: Any, siblings: Mapping[str, Any], context: FormContext) -> str | None:
        """Why a clean value does not go with the other values of its level, in Chinese; None when it does."""
        return None

    def empty(self, value: Any) -> bool:
        return value is None or value == "" or value == [] or value == {}

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        """The value as people read it on one line."""
        return str(value)

    def typed(self, field: Field, value: Any) -> Any:
        """The value as FEEL, facts and register columns want it: Decimal, date, datetime, text, list, dict."""
        return value

    def from_feel(self, field: Field, value: Any) -> Any:
        """A computed value as it is stored."""
        return None if value is None else str(value)

    def titles(self, field: Field, value: Any, context: FormContext) -> dict[str, str]:
        """Path below the field → title of its time, for values that are codes or ids."""
        return {}

    def attachments(self, field: Field, value: Any) -> list[str]:
        """Ids of the attachments that the value names."""
        return []

    def secrets(self, field: Field, value: Any) -> list[str]:
        """Paths below the field whose text is stored encrypted."""
        return [""] if field.gc.get("encrypt") else []

    def searched(self, field: Field, value: Any, context: FormContext) -> str:
        """What a search for this value should find."""
        return self.text(field, value, context)

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        """What the template needs beyond field and value; ``siblings`` are the other values of the same level."""
        return {}
