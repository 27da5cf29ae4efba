"""Evidence: seven papers of the investigation, by two officers with certificates, signed by the party."""
from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import orjson
import pypdfium2
import pytest

from engine.access.certificates import holders
from engine.documents.queries import signatures_of
from engine.form_filling.attachments import store_attachment
from engine.kernel.errors import Invalid
from engine.kernel.settings import ROOT
from engine.storage.tables.certificates import certificate
from tests.packs.ordinary_case.case import OrdinaryCase

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8ffff3f0005fe02fea7350b0000000049454e44ae426082")
WHEN = {"started_at": "2026-11-20T08:30:00+08:00", "ended_at": "2026-11-20T08:55:00+08:00"}


def officers(case: OrdinaryCase) -> dict[str, str]:
    return {"officer_one": str(case.actor("officer").person_id), "officer_two": str(case.actor("officer_two").person_id)}


def signature(case: OrdinaryCase) -> str:
    """A party's signature as the canvas uploads it."""
    with case.app.db.begin() as connection:
        kept = store_attachment(connection, case.app.blobs, actor=case.actor("officer"), case_id=case.case_id, task_id=None, field="party_signature",
                                file_name="签名.png", data=PNG, at=case.at)
    return str(kept.id)


def answers(case: OrdinaryCase, name: str) -> dict[str, Any]:
    signed = {"party_signature": signature(case)}
    known: dict[str, dict[str, Any]] = {
        "site_inspection": {**officers(case), **WHEN, "place": "汀兰路 45 号", "party_present": True, "present_name": "白晓棠", "present_post": "店长", "told": "已告知。", "situation": "货架上有过期吐司18袋。", **signed},
        "inquiry": {**officers(case), **WHEN, "place": "本所", "name": "白晓棠", "told": "已告知。", "answers": [{"question": "何时进货？", "answer": "九月。"}], "party_opinion": "属实。", **signed},
        "order_correction": {"violation_facts": "经营超过保质期的食品。", "basis": "《中华人民共和国食品安全法》", "demand": "立即下架。", "until": "2026-11-30"},
        "evidence_extraction": {**officers(case), "items": [{"name": "进货票据", "kind": "documentary", "source": "当事人", "pages": 2}], "collected_on": "2026-11-20", "provider": "白晓棠", **signed},
        "sampling": {**officers(case), "name": "吐司面包", "method": "随机", "course": "从货架抽取。", "sealing": "完好。", "quantity": "2袋", "sampled_on": "2026-11-20", "place": "汀兰路 45 号", **signed},
        "entrustment": {"entrusted": "市质检院", "kind": "inspection", "matter": "检验菌落总数。", "entrusted_on": "2026-11-20", "sample": "吐司面包", "items": "菌落总数"},
        "preservation": {**officers(case), "reason": "可能灭失。", "basis": "《中华人民共和国行政处罚法》第五十六条", "items": [{"name": "吐司面包", "quantity": 18, "unit": "袋"}], "place": "原地", "preserved_on": "2026-11-20", **signed},
    }
    return known[name]


def take(case: OrdinaryCase, name: str) -> None:
    case.matter("officer", f"ordinary_case.{name}", answers(case, name))
    assert case.holders("second") == {"officer_two"}
    case.do("officer_two", "second")


@pytest.mark.requirement("PEN-1198")
def test_seven_papers_of_the_investigation_are_made_signed_and_kept(case: OrdinaryCase) -> None:
    for name in ("site_inspection", "inquiry", "evidence_extraction", "sampling"):
        take(case, name)
    take(case, "order_correction")
    case.do("chief", "agency_approval")
    case.served()
    take(case, "entrustment")
    case.do("chief", "agency_approval")
    take(case, "preservation")
    case.do("chief", "agency_approval")
    before = case.due()
    case.wait(3)
    case.do("officer", "dispose", "submit", {"disposal": "release", "detail": "返还。", "disposed_on": case.today.isoformat()})
    case.do("officer", "record_result", "submit", {"received_on": case.today.isoformat(), "conclusion": "不合格。", "attachments": case.proof()})

    kinds = [row["title"] for row in case.records("ordinary_case__evidence")]
    assert sorted(kinds) == sorted(["现场检查笔录", "询问笔录", "证据提取单", "抽样记录", "责令改正通知书", "先行登记保存通知书", "检测、检验、检疫、鉴定委托书"])
    # Three days of inspection don't count; 21 February is a Sunday.
    assert (before, case.due()) == (date(2027, 2, 18), date(2027, 2, 22))
    paper = next(one for one in case.documents() if one["template"] == "ordinary_case.site_inspection_record")
    with case.app.db.connect() as connection:
        assert sorted(one.anchor for one in signatures_of(connection, document_id=paper["id"], rev=paper["rev"])) == ["fill", "second"]
    assert case.waiting() == {"investigate"}


def test_a_long_record_is_signed_on_every_page_with_the_numbers_of_certificates_and_its_corrections_confirmed(case: OrdinaryCase) -> None:
    corrected = {"corrections": [{"place": "第一问", "before": "八月", "after": "九月"}]}
    given = {**answers(case, "inquiry"), "answers": [{"question": f"第{n}问", "answer": "答。" * 60} for n in range(30)]}
    with pytest.raises(Invalid) as told:
        case.matter("officer", "ordinary_case.inquiry", {**given, **corrected})
    assert set(told.value.fields) == {"correction_signature"}
    case.matter("officer", "ordinary_case.inquiry", {**given, **corrected, "correction_signature": signature(case)})
    case.do("officer_two", "second")
    case.run_jobs()
    paper = next(one for one in case.documents() if one["template"] == "ordinary_case.inquiry_record")
    pages = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(case.app.blobs.get(paper["sealed_sm3"]))]
    assert len(pages) > 2
    # Each page but the last bears the strip; the last the signatures themselves.
    assert [("被询问人：" in page, "办案人员：" in page) for page in pages[:-1]] == [(True, True)] * (len(pages) - 1)
    with case.app.db.connect() as connection:
        numbers = {one.number for one in holders(connection, people=[case.actor(login).person_id for login in ("officer", "officer_two")], on=case.today)}
    assert all(f"执法证号 {number}" in pages[0] for number in numbers)
    assert "原为“八月”，更正为“九月”" in "".join(pages).replace("\r\n", "").replace("\u200b", "")


def test_the_party_signs_or_the_record_says_why_not(case: OrdinaryCase) -> None:
    given = answers(case, "inquiry")
    with pytest.raises(Invalid) as told:
        case.matter("officer", "ordinary_case.inquiry", {**given, "party_signature": None})
    assert set(told.value.fields) == {"party_signature"}
    case.matter("officer", "ordinary_case.inquiry", {**given, "party_signature": None, "refused_reason": "拒绝签名。"})


def test_two_officers_with_certificates_in_force_and_one_of_them_acts(case: OrdinaryCase) -> None:
    given = answers(case, "site_inspection")
    with pytest.raises(Invalid) as told:
        case.matter("officer", "ordinary_case.site_inspection", {**given, "officer_two": given["officer_one"]})
    assert set(told.value.fields) == {"officer_two"}
    case.give_certificate_until("officer_two", case.today - timedelta(days=1))
    with pytest.raises(Invalid, match=r"程砚白执法证件 .*到期"):
        case.matter("officer", "ordinary_case.site_inspection", given)
    with case.app.db.begin() as connection:
        connection.execute(certificate.update().values(valid_until=None, suspended_from=None))


def test_sampling_and_entrustment_take_the_fields_of_the_row() -> None:
    fields = {name: [one["title"] for one in orjson.loads((ROOT / f"forms/ordinary_case/{name}.json").read_bytes())["properties"].values()]
              for name in ("sampling", "entrustment", "penalty_decision", "final_report")}
    assert not {"型号规格", "标称商标", "保质期", "标称生产者", "标称价格", "生产日期或出厂批号", "产品执行标准编号", "标称存储条件", "生产许可证编号", "标称产品等级", "包装方式", "抽样方式",
                "抽取样品过程", "样品封样情况", "样品储存条件", "受委托抽样人员", "受委托抽样日期"} - set(fields["sampling"])
    assert not {"受委托单位", "委托类型", "委托事项", "委托日期", "文书编号", "样品名称", "规格/型号", "等级", "生产日期/批号", "适用标准或者规则", "样品数量", "检验项目", "备注"} - set(fields["entrustment"])
    assert "处罚决定理由" in fields["penalty_decision"]
    assert "调查处理类型" in fields["final_report"]
