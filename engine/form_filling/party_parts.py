"""Which parts a party has, by its kind, and what they are called on the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KINDS = {"organisation": "单位", "individual": "个体工商户", "person": "自然人"}

LABELS: Mapping[str, Mapping[str, str]] = {
    "person": {
        "name": "姓名",
        "identifier_kind": "证件类型",
        "identifier": "证件号码",
        "sex": "性别",
        "birth_date": "出生日期",
        "phone": "联系电话",
        "address": "住址",
    },
    "organisation": {
        "name": "名称",
        "identifier_kind": "证照类型",
        "identifier": "证照号码",
        "representative": "法定代表人（负责人）",
        "phone": "联系电话",
        "address": "住所",
    },
    "individual": {
        "name": "字号名称",
        "identifier_kind": "证照类型",
        "identifier": "证照号码",
        "operator": "经营者",
        "operator_identifier": "经营者身份证号",
        "phone": "联系电话",
        "address": "经营场所",
    },
}

IDENTIFIERS: Mapping[str, Mapping[str, str]] = {
    "person": {
        "id_card": "居民身份证",
        "passport": "护照",
        "hk_macao_permit": "港澳居民来往内地通行证",
        "taiwan_permit": "台湾居民来往大陆通行证",
        "residence_card": "外国人永久居留身份证",
        "officer_card": "军官证",
        "other": "其他证件",
    },
    "organisation": {"credit_code": "统一社会信用代码", "registration": "登记证号", "other": "其他证照"},
    "individual": {"credit_code": "统一社会信用代码", "registration": "注册号", "other": "其他证照"},
}

WIDTHS = {
    "name": 20,
    "identifier_kind": 14,
    "identifier": 15,
    "sex": 6,
    "birth_date": 10,
    "representative": 12,
    "operator": 9,
    "operator_identifier": 15,
    "phone": 12,
    "address": 36,
}

PARTS = (
    "kind",
    "party_id",
    "name",
    "identifier_kind",
    "identifier",
    "sex",
    "birth_date",
    "representative",
    "operator",
    "operator_identifier",
    "phone",
    "address",
    "note",
)
SECRET_PARTS = ("identifier", "operator_identifier", "phone")


def kinds_of(gc: Mapping[str, Any]) -> dict[str, str]:
    """The kinds that a field allows (``x-gc.kinds``), all three by default."""
    allowed = gc.get("kinds") or list(KINDS)
    return {kind: title for kind, title in KINDS.items() if kind in allowed}


def kind_of(gc: Mapping[str, Any], value: Any) -> str:
    """The kind that ``value`` says, else the first one allowed."""
    kinds = kinds_of(gc)
    said = value.get("kind") if isinstance(value, Mapping) else None
    return said if said in kinds else next(iter(kinds))


def needs_of(gc: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    """The parts that must be filled once anything is (``x-gc.needs``): name and number by default, and the operator."""
    needs = gc.get("needs") or ("name", "identifier", "operator")
    return tuple(part for part in needs if part in LABELS[kind])


def identifier_label(kind: str, identifier_kind: str) -> str:
    """What the number is called, e.g. 统一社会信用代码, 身份证号."""
    if identifier_kind == "id_card":
        return "身份证号"
    title = IDENTIFIERS[kind].get(identifier_kind, "")
    return "证件号码" if not title or identifier_kind == "other" else title if title.endswith(("码", "号")) else f"{title}号码"
