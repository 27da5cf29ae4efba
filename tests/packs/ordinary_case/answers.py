"""What the people of an ordinary case write into its forms."""
from __future__ import annotations

from datetime import date, timedelta
from typing import Any

PARTY = {"kind": "organisation", "name": "上海云浦麦浪食品有限公司", "identifier_kind": "credit_code", "identifier": "91310101MA1FPX1234",
         "representative": "白晓棠", "operator": "白晓棠", "phone": "13800000000", "address": "云浦区汀兰路 45 号"}
FACTS = "经营超过保质期的吐司面包18袋，货值金额八百元。"


def report(handling: str = "penalty", *, fine: str = "50000.00", **more: Any) -> dict[str, Any]:
    """案件调查终结报告."""
    given: dict[str, Any] = {
        "cause": "经营超过保质期的食品", "violation": "food_expired", "domain": "food_safety", "happened_on": "2025-09-30", "law_version": "food_safety_2021",
        "violated_law": "《中华人民共和国食品安全法》第三十四条第十项", "penalty_law": "《中华人民共和国食品安全法》第一百二十四条第一款第五项",
        "facts": FACTS, "evidence": "现场检查笔录、询问笔录、照片。", "nature": "经营超过保质期的食品。", "handling": handling, "handling_reason": "事实清楚，证据充分。",
    }
    if handling == "penalty":
        given |= {"penalty_kinds": ["fine"], "discretion": "food_expired_small_light", "discretion_ground": "积极配合调查。", "fine": fine}
    if handling == "transfer":
        given |= {"transfer_to": "上海市公安局云浦分局"}
    return given | more


def notice(*, hearing: bool = False) -> dict[str, Any]:
    return {"facts": FACTS, "reasons": "事实清楚。", "basis": "《中华人民共和国食品安全法》第一百二十四条", "penalty": "罚款五万元。", "hearing": hearing,
            "rights": "可以陈述、申辩。", "contact": "顾明川", "phone": "021-00000000"}


def review(verdict: str) -> dict[str, Any]:
    return {"facts_opinion": "经复核。", "reason_opinion": "经复核。", "evidence_opinion": "经复核。", "tenable": verdict != "uphold", "verdict": verdict, "advice": "见复核意见。"}


def arrangement(today: date, host: str, *, accepted: bool = True, public: bool = False) -> dict[str, Any]:
    if not accepted:
        return {"accepted": False, "refuse_reason": "不属于可以要求听证的情形。"}
    return {"accepted": True, "open": public, "notified_on": today.isoformat(), "held_on": (today + timedelta(days=8)).isoformat(), "held_time": "上午九时", "place": "本局会议室", "clerk": "苏念安",
            "host": host}


def hearing_record(today: date, verdict: str) -> dict[str, Any]:
    return {"held": f"{today}T09:00:00+08:00", "place": "本局会议室", "host": "江映雪", "clerk": "苏念安", "attendees": [{"name": "白晓棠", "part": "当事人的法定代表人"}],
            "course": "双方陈述、质证、辩论。", "party_opinion": "属实。", "refused_reason": "到场，当场在纸面笔录上签名。", "verdict": verdict, "advice": "见听证报告。"}


def legal(conclusion: str = "agree") -> dict[str, Any]:
    good = conclusion == "agree"
    return {"jurisdiction": True, "facts": good, "law": True, "procedure": True, "discretion": True, "papers": True, "conclusion": conclusion, "advice": "见审核意见。"}


def discussion(today: date) -> dict[str, Any]:
    return {"held_on": today.isoformat(), "place": "会议室", "host": "沈砚秋", "participants": [{"name": "沈砚秋", "post": "局长"}, {"name": "方砚秋", "post": "法制科科长"}],
            "opinions": "一致同意。", "result": "同意拟处罚意见。"}


def decision(fine: str = "50000.00", **more: Any) -> dict[str, Any]:
    base = report(fine=fine)
    kept = {name: base[name] for name in ("cause", "violation", "happened_on", "law_version", "violated_law", "penalty_law", "facts", "evidence", "penalty_kinds",
                                          "discretion", "discretion_ground", "fine")}
    return kept | {"reason_name": "经营超过保质期的食品", "statement": "当事人没有提出陈述、申辩。", "reasons": "事实清楚。", "penalty": f"罚款{fine}元。", "pay_within": 15,
                   "remedy": "可以申请行政复议或者提起行政诉讼。"} | more


NO_PENALTY = {"cause": "经营超过保质期的食品", "facts": FACTS, "evidence": "现场检查笔录。", "ground": "minor", "basis": "《中华人民共和国行政处罚法》第三十三条第一款", "reasons": "轻微并及时改正。"}
TRANSFER = {"cause": "经营超过保质期的食品", "to_unit": "上海市公安局云浦分局", "reason": "涉嫌犯罪。", "basis": "《行政执法机关移送涉嫌犯罪案件的规定》第三条", "materials": [{"name": "案件材料", "pages": 30}]}


def closing(kind: str) -> dict[str, Any]:
    return {"cause": "经营超过保质期的食品", "closing_kind": kind, "execution": "已经执行完毕。", "goods": "无", "goods_done": True, "measures_done": True, "reasons": "符合结案条件。"}


def archive(today: date) -> dict[str, Any]:
    return {"archive_number": "2026-0001", "keeper": "顾明川", "filed_on": today.isoformat(), "retention": "thirty", "items": [{"part": "main", "name": "处罚决定书", "pages": 2}]}
