"""The date of service of every mode, and what a record of service must have: one row each, without a database."""
from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.decisions import compile_dmn
from engine.form_filling.validate import validate
from engine.kernel.errors import Invalid
from engine.kernel.settings import ROOT
from tests.packs.examples import context, form

DATES = {"signed_on": "2026-11-02", "left_on": "2026-11-03", "entrusted_signed_on": "2026-11-04", "received_on": "2026-11-05", "returned_on": "2026-11-06",
         "arrived_on": "2026-11-07", "sent_on": "2026-11-08", "announced_until": "2026-12-20"}
TABLE = [
    # 案例, 方式, 结果, 事先同意, 送达日期, 依据里的话, 出处
    ("当场签收", "direct", "signed", False, "signed_on", "注明的签收日期", "PEN-1135"),
    ("按确认的地址留下", "direct", "left", False, "left_on", "留在该地址之日", "PEN-1136 确认地址送达"),
    ("拒收，留置", "retained", "retained", False, "left_on", "留置送达", "PEN-1138 拒收送达"),
    ("委托、转交", "entrusted", "entrusted", False, "entrusted_signed_on", "受送达人的签收日期", "PEN-1136"),
    ("邮寄收到", "mailed", "received", False, "received_on", "回执上注明的收件日期", "PEN-1136"),
    ("邮寄退回，地址不准确", "mailed", "returned", False, "returned_on", "退回之日", "PEN-1136 确认地址送达"),
    ("短信等电子送达", "electronic", "recorded", True, "arrived_on", "特定系统的日期", "PEN-1137"),
    ("线上，事先同意", "electronic", "online", True, "sent_on", "特定系统的日期", "PEN-1137"),
    ("线上，签收时才同意", "electronic", "online", False, "signed_on", "签收之日", "PEN-1172"),
    ("公告", "announcement", "announcement", False, "announced_until", "视为送达", "PEN-1138 公告送达"),
]
FACTS: dict[str, Any] = {
    "paper": "《决定书》", "party_name": "上海云浦麦浪食品有限公司", "party_kind": "organisation", "issued_on": "2026-11-10", "electronic_consent": False, "confirmed_address": None,
    "outcome": "submit",
}
FILES: dict[str, Any] = {"receipt": [{"id": "paper"}], "photos": [{"id": "picture"}]}
DIRECT = {"mode": "direct", "direct_result": "signed", "receiver_kind": "representative", "receiver": "白晓棠", "signed_on": "2026-11-20"}
RETAINED = {"mode": "retained", "retained_way": "witness", "refuser": "白晓棠", "refusal_reason": "不认可", "witness": "顾青", "witness_unit": "汀兰居委会", "left_on": "2026-11-20"}
ENTRUSTED = {"mode": "entrusted", "entrusted_unit": "邻区局", "entrusted_on": "2026-11-12", "entrusted_receiver": "白晓棠", "entrusted_signed_on": "2026-11-16"}
MAILED = {"mode": "mailed", "carrier": "中国邮政", "tracking_number": "XA123456789", "posted_on": "2026-11-12", "mail_result": "received", "received_on": "2026-11-14"}
RETURNED = {**MAILED, "mail_result": "returned", "received_on": None, "return_reason": "wrong", "returned_on": "2026-11-18"}
ELECTRONIC = {"mode": "electronic", "means": "sms", "account_number": "13800138000", "arrived_on": "2026-11-20"}
REFUSED = [
    # 案例, 记录, 事实, 栏, 话, 出处
    ("早于文书", {**DIRECT, "signed_on": "2026-11-09"}, {}, "signed_on", "早于文书的签发日期", "坏输入：送达日期早于文书"),
    ("还没有到", {**DIRECT, "signed_on": "2026-11-21"}, {}, "signed_on", "还没有到", "坏输入：将来的日期"),
    ("没有回证", {**DIRECT, "receipt": []}, {}, "receipt", "", "PEN-1135 签收"),
    ("家属代单位签收", {**DIRECT, "receiver_kind": "family"}, {}, "receiver_kind", "只能代自然人签收", "PEN-1135"),
    ("法定代表人代自然人签收", DIRECT, {"party_kind": "person"}, "receiver_kind", "只能代单位签收", "PEN-1135"),
    ("没有确认书就留在地址处", {**DIRECT, "direct_result": "left", "left_on": "2026-11-20"}, {}, "direct_result", "没有送达地址确认书", "PEN-1136"),
    ("留置没有见证人", {**RETAINED, "witness": None}, {}, "witness", "", "PEN-1138"),
    ("留置没有拒收事由", {**RETAINED, "refusal_reason": None}, {}, "refusal_reason", "", "PEN-1138"),
    ("留置没有录像", {**RETAINED, "retained_way": "recorded", "photos": []}, {}, "photos", "", "PEN-1138"),
    ("委托以前就签收", {**ENTRUSTED, "entrusted_signed_on": "2026-11-11"}, {}, "entrusted_signed_on", "早于委托日期", "PEN-1136"),
    ("邮寄没有回执", {**MAILED, "receipt": []}, {}, "receipt", "", "PEN-1136"),
    ("收件早于交寄", {**MAILED, "received_on": "2026-11-11"}, {}, "received_on", "早于交寄日期", "PEN-1136"),
    ("没有确认书，退回不算", RETURNED, {}, "mail_result", "第八十三条", "PEN-1136"),
    ("没有同意，电子无效", ELECTRONIC, {}, "mode", "不能电子送达", "PEN-1137"),
    ("电子没有截屏", {**ELECTRONIC, "photos": []}, {"electronic_consent": True}, "photos", "", "PEN-1137"),
    ("没有选方式", {}, {}, "mode", "", "PEN-1190"),
    ("不在场没有写日期", {}, {"outcome": "absent"}, "absent_on", "", "PEN-1136"),
]
TAKEN = [
    (DIRECT, {}), ({**DIRECT, "receiver_kind": "family"}, {"party_kind": "person"}), ({**DIRECT, "direct_result": "left", "left_on": "2026-11-20"}, {"confirmed_address": "汀兰路 45 号"}),
    (RETAINED, {}), ({**RETAINED, "retained_way": "recorded"}, {}), (ENTRUSTED, {}), (MAILED, {}), (RETURNED, {"confirmed_address": "汀兰路 45 号"}),
    (ELECTRONIC, {"electronic_consent": True}), ({"absent_on": "2026-11-20"}, {"outcome": "absent"}), ({}, {"outcome": "unreachable"}),
]


@pytest.mark.parametrize(("mode", "detail", "consented", "expected", "words"), [row[1:6] for row in TABLE], ids=[row[0] for row in TABLE])
@pytest.mark.requirement("PEN-1135")
@pytest.mark.requirement("PEN-1136")
@pytest.mark.requirement("PEN-1137")
@pytest.mark.requirement("PEN-1138")
@pytest.mark.requirement("PEN-1190")
def test_the_date_of_service(mode: str, detail: str, consented: bool, expected: str, words: str) -> None:
    table = compile_dmn((ROOT / "processes" / "serving_documents" / "decisions" / "service_date.dmn").read_bytes())
    found: Any = table.evaluate("service_date", {"mode": mode, "detail": detail, "consented": consented, **DATES}, strict=True)
    assert found["served_on"] == DATES[expected]
    assert words in found["basis"]


def judge(record: dict[str, Any], facts: dict[str, Any]) -> None:
    given = {name: value for name, value in {**FILES, **record}.items() if value is not None}
    validate(form("serving_documents.service_record"), data=given, rights={}, context=context({**FACTS, **facts}))


@pytest.mark.parametrize(("record", "facts", "field", "words"), [row[1:5] for row in REFUSED], ids=[row[0] for row in REFUSED])
@pytest.mark.requirement("PEN-1135")
@pytest.mark.requirement("PEN-1136")
@pytest.mark.requirement("PEN-1137")
@pytest.mark.requirement("PEN-1138")
@pytest.mark.requirement("PEN-1190")
def test_a_record_without_its_evidence_is_refused_with_the_rule(record: dict[str, Any], facts: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        judge(record, facts)
    assert words in refused.value.fields[field]


@pytest.mark.parametrize(("record", "facts"), TAKEN)
def test_a_record_with_its_evidence_is_taken(record: dict[str, Any], facts: dict[str, Any]) -> None:
    judge(record, facts)


def test_the_law_of_the_day_says_how_long_an_announcement_stands() -> None:
    from engine.packs.yaml import read_yaml
    from engine.reference.parameters import declared_rows

    declared = read_yaml((ROOT / "processes" / "serving_documents" / "parameters.yaml").read_bytes(), file="parameters")
    rows = declared_rows("announcement", declared["announcement"])
    in_force = {day: next(int(row["value"]) for row in rows if row["valid_from"] <= day and (row["valid_until"] is None or day <= row["valid_until"]))
                for day in (date(2021, 7, 14), date(2021, 7, 15), date(2026, 11, 20))}
    assert in_force == {date(2021, 7, 14): 60, date(2021, 7, 15): 30, date(2026, 11, 20): 30}
