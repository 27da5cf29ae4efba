"""The demo city's gazetteer, brought in as an import would."""
from __future__ import annotations

import csv

import pytest

from engine.kernel.ids import new_id
from engine.kernel.settings import ROOT
from engine.reference.places import read_place
from engine.registers.catalogue import get_register
from engine.registers.copy_records import copy_records
from tests.packs.walk import Walker

PLACE = "gazetteer.place"


@pytest.fixture
def city(squads: Walker) -> Walker:
    declared, _ = get_register(squads.app.library, PLACE)
    with (ROOT / "processes/gazetteer/demo/place.csv").open(encoding="utf-8", newline="") as file:
        rows = [{name: read_place(text) if name == "location" else text for name, text in row.items() if name not in ("key", "unit") and text} for row in csv.DictReader(file)]
    origin = {"unit_id": squads.bureau.units["CG-A-J1"], "district_id": None, "person_id": None, "person_name": "测试", "file_name": "地名.xlsx", "id": new_id()}
    with squads.app.db.begin() as connection:
        copy_records(connection, register=declared, keys=squads.app.keys, rows=rows, origin=origin, at=squads.at)  # type: ignore[arg-type]
    return squads
