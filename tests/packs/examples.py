"""Answers and documents made up from nothing but a form's schema, for checks that run over every pack there is."""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import orjson

from engine.form_filling.accepted import accepted_kinds
from engine.form_filling.context import AttachmentMeta, FormContext, HeldFile, Option
from engine.form_filling.model import Field, Form
from engine.form_filling.validate import validate
from engine.inspection.load import load_tree
from engine.inspection.tree import Tree
from engine.kernel.clock import SHANGHAI
from engine.kernel.errors import Invalid
from engine.packs.yaml import read_yaml

AT = datetime(2026, 11, 20, 10, 0, tzinfo=SHANGHAI)
SOMEBODY = "01900000-0000-7000-8000-000000000001"
OTHERS = [f"01900000-0000-7000-8000-0000000000{number:02}" for number in range(2, 40)]
PARTY = {
    "organisation": {"kind": "organisation", "name": "上海云浦麦浪食品有限公司", "identifier_kind": "credit_code", "identifier": "91310101MA1FPX1234",
                     "representative": "白晓棠", "phone": "13800000000", "address": "云浦区汀兰路 45 号"},
    "person": {"kind": "person", "name": "王一二", "identifier_kind": "id_card", "identifier": "11010519491231002X", "phone": "13800138000"},
}
OUTLINE = {"type": "Polygon", "coordinates": [[[121.45, 31.23], [121.46, 31.23], [121.46, 31.24], [121.45, 31.23]]]}
WRONG: dict[str, Any] = {"tags": {"no": "list"}, "point": "不是位置", "outline": "不是范围", "files": {"no": "list"}, "held_files": {"no": "list"}, "photos": {"no": "list"}, "rows": "不是表", "choices": "不是多选", "party": "不是当事人", "address": "不是地址"}


@cache
def tree() -> Tree:
    """The checkout, read once per process."""
    return load_tree()


@cache
def entries(dictionary: str) -> tuple[Mapping[str, Any], ...]:
    """Entries of a dictionary as its YAML says."""
    shared = tree().root / "forms" / "common" / "dictionaries" / f"{dictionary.split('.', 1)[1]}.yaml"
    file = tree().files.get(("dictionary", dictionary))
    content = file.content if file else shared.read_bytes()
    return tuple(read_yaml(content, file=dictionary)["entries"])


@cache
def form(name: str) -> Form:
    """The form ``name`` with its shared pieces."""
    files = tree().files
    return Form.load(orjson.loads(files["form", name].content), name=name, hash="h", common=lambda piece: orjson.loads(files["form", piece].content))


@cache
def facts() -> dict[str, Any]:
    """The facts that forms take over (``prefill: fact.<name>``) and check their answer against, each as the example answers it."""
    found: dict[str, Any] = {}
    for kind, name in tree().files:
        if kind == "form" and not name.startswith("common."):
            for field in form(name).fields.values():
                fact = str(field.gc.get("prefill", "")).removeprefix("fact.")
                for one in (field, *field.columns.values()):
                    if one.gc.get("among"):
                        found[str(one.gc["among"])] = [{"id": "example", "title": "样例"}]
                if f"fact.{fact}" == field.gc.get("prefill") and any(fact in check.test.names for check in field.checks):
                    found[fact] = _text(field)
    return found


def context(names: Mapping[str, Any] | None = None, known: Mapping[str, Any] | None = None) -> FormContext:
    """A page that knows every dictionary of the tree, finds whoever is asked for, and holds a file for every kind of field."""

    def option(dictionary: str, code: str) -> Option | None:
        return next((_option(entry) for entry in entries(dictionary) if str(entry["code"]) == code), None)

    def options(dictionary: str, parent: str | None) -> list[Option]:
        return [_option(entry) for entry in entries(dictionary) if parent is None or str(entry.get("parent")) == parent]

    def detail(dictionary: Any, code: Any, key: Any) -> Any:
        full = str(dictionary) if "." in str(dictionary) else f"case_filing.{dictionary}"
        found = next((entry for entry in entries(full) if str(entry["code"]) == code), {}) if isinstance(code, str) else {}
        return found.get("detail", {}).get(key)

    return FormContext(
        at=AT, known=dict(known or {}), options=options, option=option, person=lambda _: "顾明川", unit=lambda _: "执法稽查科", case=lambda _: "旧案", record=lambda register, _: "样例记录",
        record_files=lambda register, _: [HeldFile(meta=meta, field="materials", title="材料")] if (meta := _attachment("paper")) else [],
        attachment=_attachment, names={"outcome": "submit", "case": {}, "detail": detail, "parameter": lambda name: {"serving_documents.announcement": 30}.get(name), "recorded": lambda register, _, field: "pending" if field == "state" else None, **facts(), **(names or {})},
    )


def _option(entry: Mapping[str, Any]) -> Option:
    return Option(code=str(entry["code"]), title=str(entry["title"]), parent=str(entry["parent"]) if entry.get("parent") else None)


def _attachment(id: str) -> AttachmentMeta | None:
    kinds = {"picture": ("签名.png", "image/png"), "paper": ("材料.pdf", "application/pdf"), "film": ("现场.mp4", "video/mp4")}
    return AttachmentMeta(id=id, name=kinds[id][0], content_type=kinds[id][1], size=1000) if id in kinds else None


def answers(one: Form) -> dict[str, Any]:
    """A plausible value for every field that is not computed."""
    made: dict[str, Any] = {}
    people = iter([SOMEBODY, *OTHERS])
    for name in one.order:
        field = one.fields[name]
        if field.compute is None:
            made[name] = _value(field, made, people)
    return _with_other_days(one, made)


def _with_other_days(one: Form, made: dict[str, Any]) -> dict[str, Any]:
    """A day that the author's own checks don't take becomes a later one, a text the one that the form shows as its example."""
    try:
        validate(one, data=made, rights={}, context=context())
    except Invalid as refused:
        wrong_ones = [one.fields[path] for path in refused.fields if path in one.fields]
        shown = {field.name: str(field.gc["placeholder"]) for field in wrong_ones if field.kind == "text" and field.gc.get("placeholder")}
        return made | {field.name: "2026-12-31" for field in wrong_ones if field.kind == "date"} | shown
    return made


def _value(field: Field, made: Mapping[str, Any], people: Any) -> Any:
    if field.schema.get("enum"):
        return field.schema["enum"][0]
    if field.gc.get("among"):
        return ["example"] if field.kind == "choices" else "example"
    if field.dictionary and field.kind in ("choice", "choices"):
        parent = made.get(str(field.gc.get("parent")))
        fitting = [str(entry["code"]) for entry in entries(field.dictionary) if parent is None or not entry.get("parent") or str(entry["parent"]) == parent]
        return fitting[:1] if field.kind == "choices" else next(iter(fitting), None)
    if field.kind == "rows":
        return [{name: _value(column, {}, people) for name, column in field.columns.items() if column.compute is None}]
    if field.kind in ("person", "unit", "case", "record"):
        return next(people)
    return PLAIN[field.kind](field)


def _text(field: Field) -> str:
    if field.gc.get("format") == "phone":
        return "13800138000"
    least, most = int(field.schema.get("minLength") or 0), int(field.schema.get("maxLength") or 200)
    words = "现场检查发现货架上待售糕点 18 袋超过标注的保质期。"
    return (words * (1 + least // len(words)))[: max(most, 1)]


def _number(field: Field) -> int:
    return max(1, int(field.schema.get("minimum") or 0))


def _address() -> dict[str, str]:
    street = next(entry for entry in entries("common.area") if str(entry.get("parent")) not in ("None", "310000"))
    return {"district": str(street["parent"]), "street": str(street["code"]), "detail": "汀兰路 45 号"}


PLAIN: dict[str, Any] = {
    "text": _text, "textarea": _text, "opinion": lambda field: "同意。", "number": _number, "money": lambda field: "1200.00",
    "date": lambda field: "2026-11-20", "datetime": lambda field: "2026-11-20T09:30:00+08:00", "boolean": lambda field: True,
    "party": lambda field: PARTY[(field.gc.get("kinds") or ["organisation"])[0]], "files": lambda field: [{"id": "film" if set(accepted_kinds(field)) == {"video"} else "paper"}],
    "photos": lambda field: [{"id": "picture"}], "held_files": lambda field: [{"id": "paper", "act": "remove"}], "signature": lambda field: "picture",
    "address": lambda field: _address(), "tags": lambda field: ["样例"], "point": lambda field: {"lon": "121.45", "lat": "31.23"},
    "outline": lambda field: OUTLINE, "link": lambda field: "01a1f98f-2521-7009-bb74-ab81673452bb",
}


def wrong(field: Field) -> Any:
    """A value that no field of this kind may take."""
    return WRONG.get(field.kind, {"not": "this"})
