"""Uploaded files: each is on the server before the form is sent; the form carries ids and captions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from engine.form_filling.accepted import accept_attribute, accepted_kinds, accepted_words, accepts, compresses, max_bytes, max_count
from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.problems import Problems
from engine.form_filling.widgets.base import Widget

CAPTION = 100


class Files(Widget):
    """``x-gc.accept``, ``max_size`` (MB), ``max_count``; ``minItems`` of the schema asks for a number of files."""

    block = False
    control = False
    verb = "上传"

    def read_html(self, field: Field, posted: MultiDict[str, str], name: str) -> Any:
        numbers = sorted(
            {int(rest[0]) for key in posted if key.startswith(name + ".") and (rest := key[len(name) + 1 :].split("."))[0].isdigit()}
        )
        found = [
            {"id": posted[f"{name}.{number}.id"], "caption": (posted.get(f"{name}.{number}.caption") or "").strip()}
            for number in numbers
            if posted.get(f"{name}.{number}.id")
        ]
        return found or None

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if not isinstance(value, list):
            raise Problems("请重新上传文件。")
        entries = [{"id": entry} if isinstance(entry, str) else entry for entry in value]
        if not all(isinstance(entry, Mapping) and isinstance(entry.get("id"), str) for entry in entries):
            raise Problems("请重新上传文件。")
        if len(entries) > max_count(field):
            raise Problems(f"最多 {max_count(field)} 个，现在 {len(entries)} 个，请删去多出的。")
        wrong: dict[str, str] = {}
        clean = []
        for place, entry in enumerate(entries):
            try:
                clean.append(self._clean_entry(field, entry, context))
            except Problems as problem:
                wrong[str(place)] = str(problem)
        if wrong:
            raise Problems(wrong)
        return list({entry["id"]: entry for entry in clean}.values()) or None

    def _clean_entry(self, field: Field, entry: Mapping[str, Any], context: FormContext) -> dict[str, str]:
        meta = context.attachment(entry["id"])
        if meta is None:
            raise Problems("这个文件已不在，请删去后重新上传。")
        if not accepts(field, meta.content_type):
            raise Problems(f"“{meta.name}”的类型不对，只收{accepted_words(field)}。")
        if meta.size > max_bytes(field):
            raise Problems(f"“{meta.name}”太大，最多 {max_bytes(field) // 2**20} 兆。")
        caption = str(entry.get("caption") or "").strip()
        if len(caption) > CAPTION:
            raise Problems(f"说明最多 {CAPTION} 个字。")
        return {"id": meta.id, "name": meta.name, "caption": caption}

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        return "、".join(entry.get("caption") or entry.get("name") or "" for entry in value if isinstance(entry, Mapping))

    def attachments(self, field: Field, value: Any) -> list[str]:
        return [entry["id"] for entry in value]

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        shown = []
        for entry in value if isinstance(value, list) else []:
            entry = {"id": entry} if isinstance(entry, str) else entry
            meta = context.attachment(entry.get("id", "")) if isinstance(entry, Mapping) else None
            shown.append({"entry": entry, "meta": meta})
        return {
            "shown": shown,
            "accept": accept_attribute(field),
            "words": accepted_words(field),
            "most": max_count(field),
            "bytes": max_bytes(field),
            "kinds": ",".join(accepted_kinds(field)),
            "least": field.schema.get("minItems", 0),
            "upload": context.url("upload"),
            "compress": compresses(field),
        }


widget = Files()
