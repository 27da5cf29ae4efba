"""What the officer writes into the application of each matter, and how it gets to the last desk."""
from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.kernel.clock import SHANGHAI
from tests.packs.filed import CaseWalker

REASON = {"reason": "案情复杂，还要调查取证。"}
APPLICATIONS: dict[str, dict[str, Any]] = {
    "case_extension": {"extension_days": 30, **REASON},
    "case_further_extension": {"extension_days": 60, "collective_discussion": True, **REASON},
    "case_suspend": {"suspension_ground": "testing", **REASON},
    "case_resume": {"ended_on": "2026-11-20", **REASON},
    "investigation_terminate": {"termination_ground": "organisation_ended", **REASON},
    "investigation_suspend": {"suspension_cause": "whereabouts_unknown", **REASON},
    "publicity_deferral": {"deferred_until": "2027-03-01", **REASON},
    "other_matter_approval": {"matter_title": "延长证据保存期限", "content": "请批准延长先行登记保存的期限。"},
    "assist_investigation": {"assist_unit": "苏州市市场监督管理局", "matter": "核实某公司的生产记录。", **REASON},
}
# What has to be approved on the case before the matter can be asked for.
BEFORE = {"case_further_extension": "case_extension", "case_resume": "case_suspend", "investigation_resume": "investigation_suspend"}
DISPATCH = (("head", "office_review"), ("staff", "section_accept"))


def application(case: CaseWalker, process: str) -> dict[str, Any]:
    if process == "change_handling_office":
        return {"to_unit": str(case.bureau.units["station_two"]), **REASON}
    if process == "investigation_resume":
        return {"suspension_cause": "whereabouts_unknown", "ended_on": "2026-11-20", **REASON, "proof": case.proof()}
    if process == "data_correction":
        return {"fields": ["cause", "domain"], "wrong": "案由写错。", "right": "改为销售不合格产品。", **REASON, "proof": case.proof()}
    return APPLICATIONS[process]


def hand_in(case: CaseWalker, process: str) -> None:
    """The application of ``process`` handed in, with what must come before it approved."""
    if process in BEFORE:
        hand_in(case, BEFORE[process])
        case.approve()
    case.matter("officer", f"case_matters.{process}", application(case, process))


def dispatch(case: CaseWalker, to: str = "staff") -> None:
    case.do("section_head", "section_dispatch", "dispatch", {"reviewer": str(case.actor(to).person_id)})


def to_the_chief_by_dispatch(case: CaseWalker) -> None:
    """From a handed-in application along the chain with dispatch to the last desk."""
    case.approve(*DISPATCH)
    dispatch(case)
    case.approve(("staff", "section_review"), ("section_head", "section_confirm"))


def day(month: int, number: int, year: int = 2026) -> datetime:
    return datetime(year, month, number, 10, 0, tzinfo=SHANGHAI)
