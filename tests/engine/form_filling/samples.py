"""A form with one field of each kind, and a context that answers from memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.form_filling.context import AttachmentMeta, FormContext, Option, Prefilled
from engine.form_filling.model import Form
from engine.kernel.clock import SHANGHAI

ROOT = Path(__file__).resolve().parents[3]
AT = datetime(2026, 11, 20, 10, 0, tzinfo=SHANGHAI)

OPTIONS: dict[str, list[Option]] = {
    "demo.domain": [
        Option(code="food", title="食品安全案件", pinyin="shipin spaq"),
        Option(code="price", title="价格案件"),
        Option(code="old", title="旧类", active=False),
    ],
    "demo.matter": [
        Option(code="expired", title="过期食品", parent="food"),
        Option(code="label", title="标签", parent="food"),
        Option(code="mark", title="明码标价", parent="price"),
    ],
    "demo.evidence_kind": [Option(code="doc", title="书证"), Option(code="thing", title="物证")],
    "demo.penalty": [Option(code="warn", title="警告"), Option(code="fine", title="罚款"), Option(code="close", title="责令停产停业")],
    "common.area": [
        Option(code="310101", title="黄浦区", parent="310000"),
        Option(code="310104", title="徐汇区", parent="310000"),
        Option(code="outside", title="上海市以外", parent="310000"),
        Option(code="bund", title="外滩街道", parent="310101"),
        Option(code="longhua", title="龙华街道", parent="310104"),
    ],
}
FILES = {
    "p1": AttachmentMeta(id="p1", name="门头.jpg", content_type="image/jpeg", size=1000, thumbnail=True),
    "d1": AttachmentMeta(id="d1", name="执照.pdf", content_type="application/pdf", size=400_000),
    "s1": AttachmentMeta(id="s1", name="签名.png", content_type="image/png", size=900),
}

REPORT: dict[str, Any] = {
    "title": "调查终结报告",
    "type": "object",
    "x-gc": {
        "groups": [
            {"title": "案件", "fields": ["cause", "domain", "matter", "on", "at", "urgent"]},
            {"title": "当事人", "fields": ["party"]},
            {"title": "证据", "fields": ["evidence", "pages"]},
            {"title": "处理", "fields": ["gain", "fine", "less", "total", "penalties"]},
        ]
    },
    "properties": {
        "cause": {
            "type": "string",
            "title": "案由",
            "maxLength": 20,
            "x-gc": {"fact": "cause", "case": "title", "search": True, "field": "demo.report.cause"},
        },
        "domain": {"type": "string", "title": "业务领域", "x-gc": {"dictionary": "domain", "fact": "domain"}},
        "matter": {"type": "string", "title": "事项", "x-gc": {"dictionary": "matter", "parent": "domain"}},
        "on": {
            "type": "string",
            "format": "date",
            "title": "检查日期",
            "x-gc": {"fact": "on", "check": [{"test": "on <= today", "message": "检查日期不能晚于今天。"}]},
        },
        "at": {"type": "string", "format": "date-time", "title": "检查时间"},
        "urgent": {"type": "boolean", "title": "是否紧急"},
        "party": {"type": "object", "title": "当事人", "x-gc": {"widget": "party", "case": "subject", "search": True}},
        "evidence": {
            "type": "array",
            "title": "证据",
            "maxItems": 3,
            "items": {
                "type": "object",
                "required": ["name", "kind"],
                "properties": {
                    "name": {"type": "string", "title": "证据名称"},
                    "kind": {"type": "string", "title": "种类", "x-gc": {"dictionary": "evidence_kind"}},
                    "pages": {"type": "integer", "title": "页数", "minimum": 1, "x-gc": {"unit": "页"}},
                    "price": {"type": "string", "title": "单价", "x-gc": {"widget": "money"}},
                    "sum": {"type": "string", "title": "小计", "x-gc": {"widget": "money", "compute": "price * pages"}},
                },
            },
        },
        "pages": {"type": "integer", "title": "合计", "x-gc": {"unit": "页", "compute": "sum(evidence.pages)"}},
        "gain": {"type": "string", "title": "违法所得", "x-gc": {"widget": "money"}},
        "fine": {
            "type": "string",
            "title": "罚款",
            "maximum": 1_000_000,
            "x-gc": {"widget": "money", "fact": "fine", "field": "demo.report.fine"},
        },
        "less": {"type": "string", "title": "减轻理由", "x-gc": {"widget": "textarea", "when": "fine < 50000", "require": "fine < 50000"}},
        "total": {"type": "string", "title": "合计金额", "x-gc": {"widget": "money", "compute": "gain + fine"}},
        "penalties": {"type": "array", "title": "处罚种类", "items": {"type": "string"}, "x-gc": {"dictionary": "penalty"}},
        "place": {"type": "object", "title": "地点", "x-gc": {"widget": "address", "case": "address"}},
        "papers": {"type": "array", "title": "附件", "x-gc": {"widget": "files", "accept": ["pdf"]}},
        "photos": {"type": "array", "title": "照片", "x-gc": {"widget": "photos", "max_count": 2}},
        "helper": {"type": "string", "title": "协办人", "x-gc": {"widget": "person"}},
        "opinion": {"$ref": "common.opinion"},
        "sign": {"$ref": "common.signature"},
    },
    "required": ["cause", "domain"],
}

GOOD: dict[str, Any] = {
    "cause": "经营过期食品",
    "domain": "food",
    "matter": "expired",
    "on": "2026-11-01",
    "at": "2026-11-01 09:30",
    "urgent": True,
    "party": {
        "kind": "individual",
        "name": "云浦区麦浪面包房",
        "identifier_kind": "credit_code",
        "identifier": "92310199ma00042069",
        "operator": "白晓棠",
        "phone": "021-62345678",
    },
    "evidence": [{"name": "笔录", "kind": "doc", "pages": "4", "price": "2.5"}, {"name": "实物", "kind": "thing", "pages": 2}],
    "gain": "63",
    "fine": "10,000.00",
    "less": "主动消除危害",
    "penalties": ["warn", "fine"],
    "place": {"district": "310101", "street": "bund", "detail": "中山东一路 1 号"},
    "papers": ["d1"],
    "photos": [{"id": "p1", "caption": "门头"}],
    "helper": "u1",
    "opinion": "建议减轻处罚。",
    "sign": "s1",
}


def common(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((ROOT / "forms" / "common" / f"{name.split('.')[1]}.json").read_text())
    return found


def load(definition: Mapping[str, Any] = REPORT, name: str = "demo.report") -> Form:
    return Form.load(definition, name=name, hash="h1", common=common)


def one_field(schema: Mapping[str, Any], *, required: bool = False) -> Form:
    """A form of the single field ``x``."""
    return load({"title": "表", "type": "object", "properties": {"x": {"title": "某栏", **schema}}, "required": ["x"] if required else []})


def context(**more: Any) -> FormContext:
    values: dict[str, Any] = {
        "at": AT,
        "options": lambda name, parent: [o for o in OPTIONS.get(name, []) if o.active and (parent is None or o.parent == parent)],
        "option": lambda name, code: next((o for o in OPTIONS.get(name, []) if o.code == code), None),
        "attachment": FILES.get,
        "person": {"u1": "顾明川"}.get,
        "unit": {"n1": "云浦区局二所"}.get,
        "case": {"c1": "0338号 某案"}.get,
        "phrases": lambda: ["同意。"],
        "url": lambda name, **values: f"/{name}/{values.get('id', '')}",
        "prefill": {"task.register.cause": Prefilled(value="来自登记的案由", source="来自线索登记")}.get,
    }
    return FormContext(**(values | more))
