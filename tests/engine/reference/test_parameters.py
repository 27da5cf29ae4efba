from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from engine.kernel.errors import DeployRefused, Invalid, NotFound
from engine.reference.parameters import add_value, find_value, get_value, history_of, seed_parameters
from engine.reference.seeding import seed_content
from tests.engine.access.organisation_factory import small_city

CONTENT = {
    "handling": {
        "title": "办理期限",
        "unit": "working_day",
        "read_at": "filing",
        "count_first_day": False,
        "values": [
            {"value": 7, "from": date(2019, 4, 1), "until": date(2021, 7, 14), "law": "旧规定"},
            {"value": 15, "from": date(2021, 7, 15), "law": "新规定第十八条"},
        ],
    },
    "note": {"title": "提示", "values": [{"value": "文字", "from": date(2020, 1, 1), "law": "内部规定"}]},
}


def test_the_row_in_force_on_the_day_is_read_with_its_law(connection: Connection) -> None:
    seed_parameters(connection, pack="sample", content=CONTENT)
    now = get_value(connection, name="sample.handling", on=date(2021, 7, 15))
    assert (now.value, now.unit, now.source, now.title, now.read_at) == (Decimal(15), "working_day", "新规定第十八条", "办理期限", "filing")
    assert now.rule == {"count_first_day": False}
    assert get_value(connection, name="sample.handling", on=date(2021, 7, 14)).value == 7
    assert find_value(connection, name="sample.handling", on=date(2019, 3, 31)) is None
    assert get_value(connection, name="sample.note", on=date(2026, 1, 1)).text == "文字"
    with pytest.raises(NotFound, match="sample.nothing"):
        get_value(connection, name="sample.nothing", on=date(2026, 1, 1))


def test_an_administrators_value_wins_for_its_unit_and_below_from_its_day(connection: Connection) -> None:
    city = small_city(connection)
    seed_parameters(connection, pack="sample", content=CONTENT)
    day = date(2026, 3, 1)
    add_value(connection, name="sample.handling", value=Decimal(20), valid_from=day, source="区局文件", unit_id=city.units["TA"])
    add_value(connection, name="sample.handling", value=Decimal(18), valid_from=day, source="所文件", unit_id=city.units["TA_s1"])

    def value(unit: str | None, on: date) -> Decimal | None:
        return get_value(connection, name="sample.handling", on=on, unit_id=city.units[unit] if unit else None).value

    assert [value(u, day) for u in ("TA_s1", "TA_s2", "TA", "TB_s1", None)] == [18, 20, 20, 15, 15]
    assert value("TA_s1", date(2026, 2, 28)) == 15
    seed_parameters(connection, pack="sample", content=CONTENT)
    assert value("TA_s2", day) == 20 and len(history_of(connection, name="sample.handling")) == 4
    with pytest.raises(Invalid):
        add_value(connection, name="sample.handling", value=Decimal(1), valid_from=day, source="")
    with pytest.raises(NotFound):
        add_value(connection, name="sample.nothing", value=Decimal(1), valid_from=day, source="文件")


def test_a_value_without_law_or_date_is_refused_naming_the_file(connection: Connection) -> None:
    with pytest.raises(DeployRefused, match="processes/sample/parameters.yaml.*sample.x"):
        seed_content(connection, kind="parameters", name="sample.parameters", content=b"x: {unit: day, values: [{value: 1}]}")
    with pytest.raises(DeployRefused, match="processes/sample/dictionaries/x.yaml"):
        seed_content(connection, kind="dictionary", name="sample.x", content=b"entries: [{code: a}]")
