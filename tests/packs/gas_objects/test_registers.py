"""The six gas registers: entered by an officer, pointing at their company, seen in the district, narrowed to what soon expires."""
from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from engine.kernel.errors import Forbidden, Invalid
from engine.kernel.ids import new_id
from engine.registers.catalogue import get_register
from engine.registers.filters import read_asked
from engine.runtime.edit_record import create_record
from engine.runtime.queries import registers as query
from engine.runtime.queries.related import pointing_at
from tests.packs.walk import Walker


class Gas:
    def __init__(self, squads: Walker) -> None:
        self.app, self.actors = squads.app, squads.bureau.actors

    def add(self, register: str, login: str = "a1_officer", **data: Any) -> UUID:
        return create_record(self.app, actor=self.actors[login], register=f"gas_objects.{register}", data=data, key=new_id(), at=self.app.clock.now())

    def rows(self, register: str, *pairs: tuple[str, str], login: str = "a1_officer") -> list[Any]:
        declared, table = get_register(self.app.library, f"gas_objects.{register}")
        with self.app.db.connect() as connection:
            asked = read_asked(declared, pairs, on=self.app.clock.today())
            return list(query.listed(connection, actor=self.actors[login], register=declared, table=table, asked=asked).rows)


@pytest.fixture
def gas(squads: Walker) -> Gas:
    return Gas(squads)


@pytest.mark.requirement("NFR-008")
@pytest.mark.requirement("CMD-230")
@pytest.mark.requirement("CMD-231")
def test_a_carrier_and_its_vehicles(gas: Gas) -> None:
    carrier = gas.add("transport_company", name="申北燃气运输", goods=["lpg"], level="high", licensed_until="2027-01-10")
    gas.add("transport_vehicle", plate="沪A12345", company=str(carrier), kind="bottle_truck", positioned=True)
    (vehicle,), (company,) = gas.rows("transport_vehicle", ("f.positioned", "true")), gas.rows("transport_company", ("f.goods", "lpg"))
    assert vehicle.cells["company"] == "申北燃气运输" and company.cells["number"] == "沪城管云燃运〔2026〕0001号"
    with pytest.raises(Invalid) as refused:
        gas.add("transport_vehicle", plate="沪A99999")
    assert "company" in refused.value.fields


@pytest.mark.requirement("NFR-008")
@pytest.mark.requirement("CMD-232")
@pytest.mark.requirement("CMD-233")
@pytest.mark.requirement("CMD-234")
@pytest.mark.requirement("CMD-235")
def test_a_company_lists_its_stations_facilities_and_people(gas: Gas) -> None:
    company = gas.add("gas_company", name="申城瓶装燃气", kinds=["lpg"], phone="13900001234")
    station = gas.add("gas_station", name="北门供应站", company=str(company), kind="supply", address="示范路 1 号")
    gas.add("gas_facility", name="一号储罐", company=str(company), station=str(station), kind="tank", pressure=1.77, state="running")
    gas.add("gas_worker", name="卞小舟", company=str(company), job="delivery", identity="310101199001011234", certified_until="2026-12-01")
    with gas.app.db.connect() as connection:
        there = pointing_at(gas.app, connection, actor=gas.actors["a1_officer"], register="gas_objects.gas_company", record_id=company)
    assert {one.register.title: [title for _, title in one.rows] for one in there} == {"燃气场站": ["北门供应站"], "燃气设施": ["一号储罐"], "燃气从业人员": ["卞小舟"]}
    (worker,) = gas.rows("gas_worker", ("f.valid", "soon"))
    assert worker.cells["name"] == "卞小舟" and gas.rows("gas_worker", ("f.valid", "ended")) == []
    (firm,) = gas.rows("gas_company", ("col", "phone"))
    assert firm.cells["phone"] == "••••"


def test_the_district_sees_its_objects_and_another_does_not(gas: Gas) -> None:
    gas.add("gas_company", name="申城瓶装燃气")
    assert [len(gas.rows("gas_company", login=login)) for login in ("a2_officer", "a_head", "city_head", "b1_officer")] == [1, 1, 1, 0]
    with pytest.raises(Forbidden):
        gas.add("gas_company", "a_head", name="别家")


def test_what_expired_yesterday_is_told_apart(gas: Gas) -> None:
    yesterday = (gas.app.clock.today() - timedelta(days=1)).isoformat()
    gas.add("transport_company", name="停运公司", licensed_until=yesterday)
    assert [row.cells["name"] for row in gas.rows("transport_company", ("f.valid", "ended"))] == ["停运公司"] and not gas.rows("transport_company", ("f.valid", "in_force"))
