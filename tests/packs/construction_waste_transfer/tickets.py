"""What people fill in, and the way up to a step."""
from __future__ import annotations

from typing import Any

from tests.packs.walk import Walker

PROCESS = "construction_waste_transfer.waste_case_transfer"
NUMBER = "沪城管临罚〔2026〕000123号"
PLACE = {"district": "310106", "street": "310106-jiangninglujiedao", "detail": "沪太路口"}


def request(walk: Walker, *, to: str = "CG-B", **changes: Any) -> dict[str, Any]:
    """An application: to a district bureau of the two, or to a squad of the own one."""
    squad = to.count("-") == 2
    where = {"transfer_kind": "cross_street", "target_squad": str(walk.bureau.units[to])} if squad else {"transfer_kind": "cross_district", "target_district": str(walk.bureau.units[to])}
    return {
        **where, "title": "运输车辆在云浦、临川交界处倾倒工程渣土", "source": "patrol", "found_on": "2026-11-19", "place": PLACE, "waste_kind": "soil", "violation": "dumping",
        "amount": 12, "plate": "沪A00001", "facts": "巡查发现一辆自卸货车在路口东侧空地倾倒工程渣土约十二吨。", "reason": "倾倒地点在临川区一侧，由违法行为发生地管辖。", **changes,
    }


def disposal(**changes: Any) -> dict[str, Any]:
    return {"disposed_on": "2026-11-20", "result": "filed", "findings": "现场清点渣土约十二吨，当事人到场确认，已立案。", "case_number": NUMBER, **changes}


def apply(walk: Walker, *, to: str = "CG-B") -> None:
    walk.start("a1_officer", PROCESS, request(walk, to=to))


def reviewed(walk: Walker, *, to: str = "CG-B") -> None:
    """Up to the first dispatch."""
    apply(walk, to=to)
    walk.do("a1_head", "squad_review")
    walk.do("a_head", "district_review")
    walk.do("city_head", "city_review")


def handed_out(walk: Walker, *, to: str = "CG-B") -> None:
    """Up to the officer's disposal on site: cross-district to b1_officer, cross-street to a2_officer."""
    reviewed(walk, to=to)
    units = walk.bureau.units
    if to == "CG-B":
        walk.do("city_staff", "city_dispatch", "dispatch", {"district": str(units["CG-B"])})
        walk.do("b_staff", "district_dispatch", "dispatch", {"squad": str(units["CG-B-1"])})
        walk.do("b1_head", "squad_dispatch", "dispatch", {"officer": person(walk, "b1_officer")})
        walk.do("b1_officer", "officer_accept", "accept")
    else:
        walk.do("a_staff", "district_dispatch", "dispatch", {"squad": str(units["CG-A-2"])})
        walk.do("a2_head", "squad_dispatch", "dispatch", {"officer": person(walk, "a2_officer")})
        walk.do("a2_officer", "officer_accept", "accept")


def person(walk: Walker, login: str) -> str:
    return str(walk.bureau.actors[login].person_id)
