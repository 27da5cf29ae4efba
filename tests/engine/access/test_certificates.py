"""Enforcement certificates hold from day to day; whoever has none is named with the reason."""
from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from sqlalchemy import Connection

from engine.access.certificates import give_certificate, holders, suspend_certificate
from engine.access.staffing import create_person
from engine.kernel.errors import Invalid, NotFound
from engine.kernel.ids import new_id

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)


def person(connection: Connection, name: str = "顾明川", **more: str) -> UUID:
    return create_person(connection, name=name, pinyin="gmc", at=AT, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("day", "number"), [
    (date(2023, 12, 31), None), (date(2024, 1, 1), "甲"), (date(2024, 12, 31), "甲"), (date(2025, 1, 1), None), (date(2025, 6, 1), "乙"), (date(2026, 6, 1), None),
])
def test_the_certificate_of_the_day_counts(connection: Connection, day: date, number: str | None) -> None:
    who = person(connection)
    give_certificate(connection, person_id=who, number="甲", valid_from=date(2024, 1, 1), valid_until=date(2024, 12, 31), at=AT)
    second = give_certificate(connection, person_id=who, number="乙", valid_from=date(2025, 6, 1), at=AT)
    suspend_certificate(connection, certificate_id=second, on=date(2026, 6, 1), reason="调离", at=AT)

    (found,) = holders(connection, people=[who], on=day)

    assert found.number == number
    assert bool(found.why) == (number is None)


def test_a_number_given_with_the_person_is_a_certificate_and_nobody_is_left_out(connection: Connection) -> None:
    first, second = person(connection, certificate_number="甲"), person(connection, "许闻笛")
    found = holders(connection, people=[second, first, new_id()], on=date(2026, 3, 2))
    assert [(one.name, one.number, one.why) for one in found] == [("许闻笛", None, "没有登记执法证件"), ("顾明川", "甲", ""), ("（查无此人）", None, "没有登记执法证件")]


def test_dates_the_wrong_way_round_and_unknown_certificates_are_refused(connection: Connection) -> None:
    with pytest.raises(Invalid):
        give_certificate(connection, person_id=person(connection), number="甲", valid_from=date(2026, 1, 2), valid_until=date(2026, 1, 1), at=AT)
    with pytest.raises(NotFound):
        suspend_certificate(connection, certificate_id=new_id(), on=date(2026, 1, 1), reason="", at=AT)
