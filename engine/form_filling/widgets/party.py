"""A party: natural person, organisation or individual business, with checked numbers and reuse of known parties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from engine.form_filling.checks import credit_code, identity_number, phone
from engine.form_filling.checks.identity_number import IdentityNumber
from engine.form_filling.context import FormContext
from engine.form_filling.model import Field
from engine.form_filling.party_parts import IDENTIFIERS, LABELS, PARTS, SECRET_PARTS, WIDTHS, identifier_label, kind_of, kinds_of, needs_of
from engine.form_filling.problems import Problems
from engine.form_filling.split_party import split_party
from engine.form_filling.widgets.base import Widget
from engine.form_filling.widgets.date import parse_day

BY_HAND = 4


class Party(Widget):
    block = True
    control = False

    def read_html(self, field: Field, posted: MultiDict[str, str], name: str) -> Any:
        typed = {part: text for part in PARTS if (text := (posted.get(f"{name}.{part}") or "").strip())}
        pasted = (posted.get(f"{name}.paste") or "").strip()
        if pasted:
            typed |= split_party(pasted, kinds=list(kinds_of(field.gc)))
        bare = set(typed) <= {"kind", "identifier_kind"}
        return typed if typed and (not bare or "kind" in typed) else None

    def empty(self, value: Any) -> bool:
        return not value or (
            isinstance(value, Mapping) and not any(v for part, v in value.items() if part not in ("kind", "identifier_kind"))
        )

    def clean(self, field: Field, value: Any, context: FormContext) -> Any:
        if not isinstance(value, Mapping) or not all(isinstance(v, str | None) for v in value.values()):
            raise Problems(f"“{field.title}”应分栏填写姓名（名称）、证件等。")
        if self.empty(value):
            return None
        foreign = [part for part in value if part not in PARTS]
        if foreign:
            raise Problems(f"当事人没有“{foreign[0]}”这一栏，请去掉后再提交。")
        if value.get("kind") not in (None, "", *kinds_of(field.gc)):
            raise Problems({"kind": f"类别只能是{'、'.join(kinds_of(field.gc).values())}。"})
        return _clean_parts(field, {part: (text or "").strip() for part, text in value.items()}, context)

    def text(self, field: Field, value: Any, context: FormContext) -> str:
        return str(value.get("name", ""))

    def typed(self, field: Field, value: Any) -> Any:
        return dict(value)

    def secrets(self, field: Field, value: Any) -> list[str]:
        return [part for part in SECRET_PARTS if value.get(part)]

    def view(self, field: Field, value: Any, context: FormContext, siblings: Mapping[str, Any]) -> dict[str, Any]:
        value = value if isinstance(value, Mapping) else {}
        kind = kind_of(field.gc, value)
        identifier_kind = (
            value.get("identifier_kind") if value.get("identifier_kind") in IDENTIFIERS[kind] else next(iter(IDENTIFIERS[kind]))
        )
        labels = {**LABELS[kind], "identifier": identifier_label(kind, str(identifier_kind))}
        findings = _findings(kind, str(identifier_kind), value, context)
        return {
            "kinds": kinds_of(field.gc),
            "kind": kind,
            "identifiers": IDENTIFIERS[kind],
            "identifier_kind": identifier_kind,
            "labels": labels,
            "widths": WIDTHS,
            "needs": needs_of(field.gc, kind),
            "source": context.url("parties"),
            "derived": findings.derived,
            "passed": findings.passed,
            "wrong": findings.wrong,
            "others": {
                part: text for part, text in value.items() if text and part in PARTS and part not in labels and part not in ("kind", "note")
            },
        }


class _Findings:
    """What can be said about the numbers of a party while it is being typed."""

    def __init__(self) -> None:
        self.passed: dict[str, str] = {}
        self.wrong: dict[str, str] = {}
        self.derived: IdentityNumber | None = None


def _findings(kind: str, identifier_kind: str, value: Mapping[str, Any], context: FormContext) -> _Findings:
    found = _Findings()
    for part in ("identifier", "operator_identifier"):
        text = str(value.get(part) or "")
        if not text or part not in LABELS[kind]:
            continue
        try:
            checked = check_number(kind, part, identifier_kind, text, context)
        except ValueError as problem:
            if not value.get("note"):
                found.wrong[part] = str(problem)
            continue
        if isinstance(checked, IdentityNumber):
            found.passed[part] = f"18 位，校验通过；{checked.sex}，{checked.birth_date.isoformat()} 出生"
            found.derived = checked if part == "identifier" else found.derived
        elif part == "identifier" and identifier_kind == "credit_code":
            found.passed[part] = "18 位，校验通过"
    return found


def check_number(kind: str, part: str, identifier_kind: str, text: str, context: FormContext) -> IdentityNumber | str:
    """The number as it is stored, taken apart when it is a 身份证号; raises ValueError with a Chinese message."""
    if part == "operator_identifier" or (kind == "person" and identifier_kind == "id_card"):
        return identity_number.check(text, today=context.today)
    if identifier_kind == "credit_code":
        code = credit_code.check(text)
        if kind == "organisation" and credit_code.is_individual_business(code):
            raise ValueError("92 开头是个体工商户的代码，请把类别改为“个体工商户”。")
        return code
    folded = identity_number.fold(text)
    if not 4 <= len(folded) <= 40:
        raise ValueError("证件号码应为 4 至 40 位，请对照原件重填。")
    return folded


def _clean_parts(field: Field, typed: Mapping[str, str], context: FormContext) -> dict[str, str]:
    kind = kind_of(field.gc, typed)
    labels = LABELS[kind]
    wrong: dict[str, str] = {}
    clean = {"kind": kind} | {part: text for part in labels if (text := typed.get(part, ""))}
    clean["identifier_kind"] = typed.get("identifier_kind") or next(iter(IDENTIFIERS[kind]))
    if clean["identifier_kind"] not in IDENTIFIERS[kind]:
        wrong["identifier_kind"] = "请从列出的证件类型里选一种。"
    for part in needs_of(field.gc, kind):
        if not clean.get(part):
            label = identifier_label(kind, clean["identifier_kind"]) if part == "identifier" else labels[part]
            wrong[part] = f"请填写{label}。"
    _clean_numbers(clean, typed, wrong, context)
    _clean_plain(clean, wrong, context)
    _keep_known(clean, typed, wrong, context)
    if wrong:
        raise Problems(wrong)
    return {part: clean[part] for part in PARTS if clean.get(part)}


def _clean_numbers(clean: dict[str, str], typed: Mapping[str, str], wrong: dict[str, str], context: FormContext) -> None:
    """Check digits; a note of at least four characters says that a person compared the original, then only the length counts."""
    note = typed.get("note", "")
    for part in ("identifier", "operator_identifier"):
        if not clean.get(part) or part in wrong:
            continue
        try:
            checked = check_number(clean["kind"], part, clean["identifier_kind"], clean[part], context)
        except ValueError as problem:
            folded = identity_number.fold(clean[part])
            if len(note) < BY_HAND or len(folded) != 18:
                wrong[part] = str(problem)
                continue
            clean[part], clean["note"] = folded, note
            continue
        if isinstance(checked, IdentityNumber):
            clean[part] = checked.number
            if part == "identifier":
                clean |= {"sex": checked.sex, "birth_date": checked.birth_date.isoformat()}
        else:
            clean[part] = checked


def _clean_plain(clean: dict[str, str], wrong: dict[str, str], context: FormContext) -> None:
    for part, most in (("name", 100), ("representative", 50), ("operator", 50), ("address", 200)):
        if len(clean.get(part, "")) > most:
            wrong[part] = f"最多 {most} 个字，现在 {len(clean[part])} 个。"
    if clean.get("phone"):
        try:
            clean["phone"] = phone.check(clean["phone"])
        except ValueError as problem:
            wrong["phone"] = str(problem)
    if clean.get("sex") not in (None, "男", "女"):
        wrong["sex"] = "性别请选“男”或“女”。"
    if clean.get("birth_date"):
        try:
            day = parse_day(clean["birth_date"])
        except Problems as problem:
            wrong["birth_date"] = str(problem)
            return
        clean["birth_date"] = day.isoformat()
        if day > context.today:
            wrong["birth_date"] = "出生日期不能晚于今天。"


def _keep_known(clean: dict[str, str], typed: Mapping[str, str], wrong: dict[str, str], context: FormContext) -> None:
    """The link to a known party stays only while the number is still that party's."""
    known = context.party(typed["party_id"]) if typed.get("party_id") else None
    if known and known.get("identifier") in (None, "", clean.get("identifier")):
        clean["party_id"] = typed["party_id"]


widget = Party()
