"""What the people of the filing walks write into their forms, and the shared stretches of the way."""
from __future__ import annotations

from typing import Any

from tests.packs.walk import Walker

REGISTRATION: dict[str, Any] = {
    "source": "complaint", "received_on": "2026-11-19", "title": "反映麦浪面包房销售超过保质期的蛋糕", "content": "购得蛋糕一盒，已过保质期三天，附小票。",
    "reporter_kind": "none",
}
PARTY = {"kind": "organisation", "name": "云浦区麦浪食品有限公司", "identifier_kind": "credit_code", "identifier": "91310199MA00003179", "address": "云汀路128号"}
HANDLING: dict[str, Any] = {
    "verified_on": "2026-11-20", "findings": "现场检查，货架上待售的吐司面包18袋超过标注的保质期。", "category": "food", "violation": "food_expired",
    "domain": "food_safety", "party": PARTY,
}


def filing(walk: Walker) -> dict[str, Any]:
    """The answers of a complete 立案审批表."""
    return {
        "cause": "经营超过保质期的食品", "source": "complaint", "received_on": "2026-11-19", "violation": "food_expired", "domain": "food_safety",
        "violated_law": "《中华人民共和国食品安全法》第三十四条第十项", "party": PARTY, "summary": "货架上待售的吐司面包18袋超过标注的保质期。",
        "filing_basis": "符合《市场监督管理行政处罚程序规定》第十九条第一款规定的立案条件。",
        "officer_one": str(walk.actor("officer").person_id), "officer_two": str(walk.actor("second").person_id),
    }


def no_filing() -> dict[str, Any]:
    return {"cause": "反映销售超过保质期的蛋糕", "source": "complaint", "received_on": "2026-11-19", "summary": "现场未发现过期食品。",
            "ground": "minor_corrected", "reason": "违法行为轻微并及时改正，没有造成危害后果。"}


def merge_filing(case_id: str) -> dict[str, Any]:
    return {"cause": "反映销售超过保质期的蛋糕", "source": "complaint", "received_on": "2026-11-19", "merge_into": case_id, "merge_number": "沪市监云案〔2026〕0001号",
            "summary": "与在办案件是同一当事人的同一行为。", "reason": "同一违法行为，合并调查。"}


def register(walk: Walker) -> None:
    """A clue entered by hand, waiting to be verified."""
    walk.start("officer", "case_filing.clue_intake", REGISTRATION)


def apply_for_filing(walk: Walker, **more: str) -> None:
    """Registered, verified, and the application handed in, with ``more`` in it."""
    register(walk)
    walk.do("officer", "verify", "file", HANDLING)
    walk.do("officer", "draft", "submit", {**filing(walk), **more}, "符合立案条件。")


def up_to_joint_review(walk: Walker) -> None:
    """From a handed-in application to the joint reviewing section."""
    walk.do("office_head", "office_review")
    walk.do("staff", "section_review")
    ask_for_joint_review(walk)


def ask_for_joint_review(walk: Walker) -> None:
    walk.do("section_head", "section_head_review", "joint", {"joint_unit": str(walk.bureau.units["YP-ZH"])})


def up_to_the_agency_head(walk: Walker) -> None:
    """From a handed-in application to the last desk."""
    up_to_joint_review(walk)
    walk.do("joint_staff", "joint_staff_review")
    walk.do("joint_head", "joint_head_review")
