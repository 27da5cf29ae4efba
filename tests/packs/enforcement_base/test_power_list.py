"""The list of powers: changed through a review, every version kept, systems told until all have taken it, searched and exported."""
from __future__ import annotations

import io
from typing import Any

import pytest
import python_calamine

from engine.kernel.errors import TryAgain
from engine.registers.catalogue import get_register
from engine.registers.filters import read_asked
from engine.runtime.export_register import export_list
from engine.runtime.queries import registers as query
from tests.packs.enforcement_base.outside import Outside
from tests.packs.walk import Walker

CHANGE = "enforcement_base.change_power"
ITEM: dict[str, Any] = {
    "action": "add", "effective_on": "2026-01-01", "reason": "《行政处罚法》修订", "name": "对经营超过保质期食品的处罚", "code": "沪市监罚-0001", "kind": "penalty", "body": "区市场监督管理局",
    "basis": "《中华人民共和国食品安全法》第一百二十四条", "violations": ["food_expired"], "systems": ["penalty_cases", "inspection"],
}


class Powers:
    def __init__(self, walk: Walker) -> None:
        self.walk, self.app = walk, walk.app

    def change(self, outcome: str = "approve", **data: Any) -> None:
        self.walk.start("legal_staff", CHANGE, {**ITEM, **data})
        self.walk.do("legal_head", "review", outcome, opinion="同意。")
        self.walk.run_jobs()

    def rows(self, *pairs: tuple[str, str], register: str = "power_item") -> list[Any]:
        declared, table = get_register(self.app.library, f"enforcement_base.{register}")
        with self.app.db.connect() as connection:
            asked = read_asked(declared, pairs, on=self.app.clock.today())
            return list(query.listed(connection, actor=self.walk.actor("officer"), register=declared, table=table, asked=asked).rows)


@pytest.fixture
def powers(bureau_walk: Walker, outside: Outside) -> Powers:
    outside.start("power_list_exchange")
    return Powers(bureau_walk)


@pytest.mark.requirement("PEN-1345")
def test_an_item_is_added_revised_and_abolished_and_the_systems_know(powers: Powers, outside: Outside) -> None:
    powers.change()
    assert powers.walk.case()["state"] == "closed"
    (first,) = powers.rows()
    assert (first.cells["version"], first.cells["valid_from"]) == ("1", "2026-01-01")
    outside.mode("power_list_exchange", "partly")
    with pytest.raises(TryAgain, match="还没有接收"):
        powers.change(action="revise", power_item=str(first.id), effective_on="2026-07-01", name="对经营超过保质期食品行为的处罚")
    assert powers.walk.case()["state"] == "reviewing" and len(powers.rows(register="power_receipt")) == 2
    outside.mode("power_list_exchange", "ok")
    outside.again(powers.walk)
    assert powers.walk.case()["state"] == "closed"
    old, new = sorted(powers.rows(("col", "name"), ("col", "version"), ("col", "valid_until"), ("col", "previous")), key=lambda row: row.cells["version"])
    assert (old.cells["valid_until"], new.cells["version"], new.cells["previous"], new.cells["name"]) == ("2026-06-30", "2", "对经营超过保质期食品的处罚", "对经营超过保质期食品行为的处罚")
    powers.change(action="abolish", power_item=str(new.id), effective_on="2026-11-20")
    assert powers.rows(("f.valid", "in_force")) == [] and len(powers.rows(("f.valid", "ended"))) == 2
    receipts = {(row.cells["action"], row.cells["system"]) for row in powers.rows(register="power_receipt")}
    assert receipts == {(action, system) for action in ("新增", "修改", "取消") for system in ("行政处罚案件系统", "综合监管")}


def test_what_is_refused_changes_nothing(powers: Powers) -> None:
    powers.change("refuse")
    assert powers.rows() == [] and powers.walk.case()["state"] == "refused"


@pytest.mark.requirement("PEN-1346")
def test_items_are_found_by_name_kind_and_time_and_exported(powers: Powers) -> None:
    powers.change()
    powers.change(name="食品经营许可", code="沪市监许-0001", kind="licence", effective_on="2026-10-01", systems=[])
    assert [row.cells["code"] for row in powers.rows(("f.name", "保质期"))] == ["沪市监罚-0001"]
    assert [row.cells["code"] for row in powers.rows(("f.kind", "licence"))] == ["沪市监许-0001"]
    assert [row.cells["code"] for row in powers.rows(("f.valid_from.from", "2026-09-01"), ("f.valid_from.to", "2026-12-31"))] == ["沪市监许-0001"]
    assert powers.rows(("f.name", "保质期"), ("f.kind", "licence")) == []
    declared, _ = get_register(powers.app.library, "enforcement_base.power_item")
    asked = read_asked(declared, [("f.kind", "penalty")], on=powers.app.clock.today())
    made = export_list(powers.app, actor=powers.walk.actor("officer"), register=declared.name, asked=asked, at=powers.app.clock.now())
    assert made.sm3 is not None
    found = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(powers.app.blobs.get(made.sm3))).get_sheet_by_index(0).to_python()
    assert len(found) == 2 and "对经营超过保质期食品的处罚" in found[1]
