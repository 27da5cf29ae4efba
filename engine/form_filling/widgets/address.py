"""An address: district and street out of the dictionary ``common.area``, then the rest in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget

AREA = "common.area"
ROOT = "310000"
OUTSIDE = "outside"
_PARTS = ("district", "street", "detail")


class Address(Widget):
    """``x-gc.needs`` lists the parts that must be filled: district, street and detail by default."""

    control = False

    def read_html(self, field: Field, posted: MultiDict[str, str], name: str) -> Any:
        typed = {part: text for part in _PARTS if (text := (posted.get(f"{name}.{part}") or "").strip())}
        return typed or None

    def empty(self, value: Any) -> bool:
        return not value or (isinstance(value, Mapping) and not any(value.get(part) for part in _PARTS))

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if not isinstance(value, Mapping) or not all(isinstance(v, str | None) for v in value.values()):
            raise Problems(f"“{field.title}”应分为区、街镇和详细地址。")
        foreign = [part for part in value if part not in (*_PARTS, "text")]
        if foreign:
            raise Problems(f"地址没有“{foreign[0]}”这一栏，请去掉后再提交。")
        if self.empty(value):
            return None
        typed = {part: (value.get(part) or "").strip() for part in _PARTS}
        typed |= {part: _code_of_today(typed[part], context) for part in ("district", "street")}
        wrong = _missing(field, typed) | _unknown(typed, context)
        if len(typed["detail"]) > 200:
            wrong["detail"] = f"最多 200 个字，现在 {len(typed['detail'])} 个。"
        if wrong:
            raise Problems(wrong)
        return {part: text for part, text in typed.items() if text} | {"text": full_text(typed, context)}

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        return str(value.get("text") or full_text(value, context))

    def typed(self, field: Field, value: Any) -> Any:
        return dict(value)

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        value = value if isinstance(value, Mapping) else {}
        district = value.get("district") or ""
        return {
            "districts": context.options(AREA, ROOT),
            "streets": context.options(AREA, district) if district and district != OUTSIDE else (),
            "outside": district == OUTSIDE,
            "needs": field.gc.get("needs") or _PARTS,
        }


def _missing(field: Field, typed: Mapping[str, str]) -> dict[str, str]:
    words = {"district": "请选择区。", "street": "请选择街道或镇。", "detail": "请填写路名、门牌号。"}
    needs = field.gc.get("needs") or _PARTS
    return {part: words[part] for part in needs if not typed[part] and not (part == "street" and typed["district"] in ("", OUTSIDE))}


def _unknown(typed: Mapping[str, str], context: FormContext) -> dict[str, str]:
    wrong = {}
    if typed["district"] and not _under(typed["district"], ROOT, context):
        wrong["district"] = "请从列出的区里选。"
    if typed["street"] and not _under(typed["street"], typed["district"], context):
        wrong["street"] = "所选街道（镇）不在这个区，请重新选。"
    return wrong


def _code_of_today(code: str, context: FormContext) -> str:
    """A code that the district used to have becomes the one it has."""
    found = context.option(AREA, code) if code else None
    return found.code if found else code


def _under(code: str, parent: str, context: FormContext) -> bool:
    found = context.option(AREA, code)
    return found is not None and found.parent == parent


def full_text(value: Mapping[str, Any], context: FormContext) -> str:
    """The whole address in words, e.g. 上海市黄浦区外滩街道中山东一路 1 号."""
    words = []
    if value.get("district") and value["district"] != OUTSIDE:
        words.append("上海市")
        for part in ("district", "street"):
            found = context.option(AREA, value[part]) if value.get(part) else None
            words.append(found.title if found else "")
    return "".join(words) + str(value.get("detail") or "")


widget = Address()
