"""Files that a record holds already: which of them shall go, and which that went shall come back.

``x-gc.register`` names the register, ``x-gc.parent`` the field of widget ``record`` that says which of its records. The value is a list
of ``{id, name, field, act}`` (``picture`` where there is a small one), ``act`` being ``remove`` or ``restore``; ``gc.save_record`` carries it out (input ``files``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict

from engine.form_filling.context import FormContext, HeldFile
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget

WORDS = {"remove": "删去", "restore": "恢复"}
MOST = 200


class HeldFiles(Widget):
    block = False
    control = False
    verb = "选择"

    def read_html(self, field: Field, posted: MultiDict[str, str], name: str) -> Any:
        return [{"act": act, "id": id} for act, _, id in (text.partition(":") for text in posted.getlist(name)) if id] or None

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        good = isinstance(value, list) and all(isinstance(one, Mapping) and one.get("act") in WORDS and isinstance(one.get("id"), str) for one in value)
        if not good or len(value) > MOST:
            raise Problems("请重新选要删去或者恢复的文件。")
        return [{key: str(one.get(key) or "") for key in ("id", "act", "name", "field")} for one in {one["id"]: one for one in value}.values()] or None

    def misfit(self, field: Field, value: Any, siblings: Mapping[str, Any], context: FormContext) -> str | None:
        """Every file is the record's, and stands where it can go or come back; what it is called comes from the record."""
        held = {one.meta.id: one for one in self._held(field, siblings, context)}
        for entry in value:
            one = held.get(entry["id"])
            if one is None or one.gone != (entry["act"] == "restore"):
                return "这个文件已经不在这条记录里，请重新选。"
            entry.update(name=one.meta.name, field=one.field, **({"picture": True} if one.meta.thumbnail else {}))
        return None

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        return "；".join(f"{WORDS[one['act']]}“{one.get('name') or '文件'}”" for one in value if isinstance(one, Mapping) and one.get("act") in WORDS)

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        chosen = {one["id"]: one for one in value if isinstance(one, Mapping) and one.get("id")} if isinstance(value, list) else {}
        held = self._held(field, siblings, context)
        return {
            "chosen": chosen, "held": [one for one in held if not one.gone], "gone": [one for one in held if one.gone], "waiting": not siblings.get(field.gc["parent"]),
            "asked": [{**one, "word": WORDS.get(str(one.get("act")), "")} for one in chosen.values()],
        }

    def _held(self, field: Field, siblings: Mapping[str, Any], context: FormContext) -> Sequence[HeldFile]:
        record = siblings.get(field.gc["parent"])
        return context.record_files(field.gc["register"], str(record)) if record else ()


widget = HeldFiles()
