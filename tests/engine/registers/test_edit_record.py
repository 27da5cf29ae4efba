"""A record made, changed and removed on the register's page: rights, revision, reason, history, secrets."""
from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from engine.kernel.errors import Forbidden, Invalid, NotFound, StaleRevision
from engine.kernel.ids import new_id
from engine.runtime.edit_record import change_record, create_record, remove_record
from engine.runtime.queries import registers as query
from engine.runtime.record_form import answers_of_record
from engine.storage.tables.organisation import audit
from engine.storage.tables.registers import record_history
from tests.engine.registers.stock import NAME, Stock

FULL = {"code": "伞-9", "colour": "red", "tags": ["new"], "price": "12.50", "weight": 3, "bought_on": "2026-11-01", "working": True, "phone": "13900001234", "secret": "甲乙"}


def read(stock: Stock, id: UUID, login: str = "head") -> Any:
    with stock.app.db.connect() as connection:
        return query.one(connection, actor=stock.actor(login), register=stock.register, table=stock.table, record_id=id)


def create(stock: Stock, data: dict[str, Any] | None = None, *, login: str = "head", key: UUID | None = None) -> UUID:
    return create_record(stock.app, actor=stock.actor(login), register=NAME, data=FULL if data is None else data, key=key or new_id(), at=stock.app.clock.now())


def change(stock: Stock, id: UUID, *, reason: str = "盘点", login: str = "head", rev: str | None = None, **changed: Any) -> Any:
    record, _ = read(stock, id)
    stock.app.clock.advance(timedelta(minutes=1))
    return change_record(
        stock.app, actor=stock.actor(login), register=NAME, record_id=id, data={**answers_of_record(stock.register, record.values), **changed}, reason=reason,
        rev=record.rev if rev is None else rev, at=stock.app.clock.now(),
    )


def test_a_record_sent_twice_is_made_once_and_told_in_the_history(stock: Stock) -> None:
    key = new_id()
    assert create(stock, key=key) == create(stock, key=key) == key
    record, history = read(stock, key)
    assert record.cells["colour"] == "红" and record.cells["tags"] == "新" and record.cells["price"] == "12.50"
    assert [line.reason for line in history] == ["登记"]
    assert history[0].by_name == "周启衡"
    with stock.app.db.connect() as connection:
        assert connection.scalars(select(audit.c.object).where(audit.c.action == "register.create")).all() == [f"{NAME}:{key}"]


@pytest.mark.parametrize("login", ["officer", "other_head", "chief"])
def test_only_the_role_may_edit(stock: Stock, login: str) -> None:
    id = create(stock)
    if login == "other_head":  # holds the role, in a unit of their own
        create(stock, login=login)
    else:
        with pytest.raises(Forbidden):
            create(stock, login=login)
    with pytest.raises((Forbidden, NotFound)):
        change(stock, id, login=login, code="改了")


def test_a_change_says_who_when_from_to_and_why(stock: Stock) -> None:
    id = create(stock)
    assert set(change(stock, id, colour="blue", price="13.00", weight=None)) == {"colour", "price", "weight"}
    record, history = read(stock, id)
    assert record.cells["colour"] == "蓝"
    newest = history[0]
    assert newest.reason == "盘点"
    assert [(one["title"], one["old"], one["new"]) for one in newest.changes] == [("颜色", "红", "蓝"), ("单价", "12.50", "13.00"), ("重量", "3", "")]


def test_nothing_changed_is_no_change(stock: Stock) -> None:
    id = create(stock)
    assert change(stock, id) == {}
    assert len(read(stock, id)[1]) == 1


def test_a_reason_and_right_values_are_asked_for(stock: Stock) -> None:
    id = create(stock)
    with pytest.raises(Invalid) as refused:
        change(stock, id, reason=" ", code="", price="很贵", colour="green")
    assert set(refused.value.fields) == {"reason", "code", "price", "colour"}


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(stock: Stock) -> None:
    id = create(stock)
    before = read(stock, id)[0].rev
    change(stock, id, code="甲改的")
    with pytest.raises(StaleRevision):
        change(stock, id, rev=before, code="乙改的")
    assert read(stock, id)[0].cells["code"] == "甲改的"


def test_a_code_ended_since_may_stay(stock: Stock) -> None:
    from engine.reference.dictionaries import end_entry

    id = create(stock)
    with stock.app.db.begin() as connection:
        end_entry(connection, dictionary="borrow_umbrella.colour", code="red", last_day=stock.app.clock.today() - timedelta(days=1))
    change(stock, id, code="伞-10")
    record, _ = read(stock, id)
    assert (record.cells["code"], record.values["colour"], record.values["tags"]) == ("伞-10", "red", ["new"])
    with pytest.raises(Invalid):
        create(stock)


def test_secrets_stay_unless_typed_anew_and_are_in_no_history(stock: Stock) -> None:
    id = create(stock)
    change(stock, id, code="伞-11")
    with stock.app.db.connect() as connection:
        sealed = connection.scalar(select(stock.table.c.secret).where(stock.table.c.id == id))
        assert stock.app.keys.decrypt(sealed, b"secret").decode() == "甲乙"
    change(stock, id, secret="丙丁", phone="13900009999")
    record, history = read(stock, id)
    assert record.values["secret"] is None and record.values["phone"] is None and record.cells["phone"] == "139••••9999"
    assert "丙丁" not in str(history) and "13900009999" not in str(history) and "13900001234" not in str(history)
    with stock.app.db.connect() as connection:
        assert "丙丁" not in str(connection.scalars(select(record_history.c.changes)).all())


def test_a_removed_record_leaves_the_list_and_stays_stored(stock: Stock) -> None:
    id = create(stock)
    record, _ = read(stock, id)
    act = {"actor": stock.actor(), "register": NAME, "record_id": id, "rev": record.rev, "at": stock.app.clock.now()}
    with pytest.raises(Invalid):
        remove_record(stock.app, reason="", **act)
    remove_record(stock.app, reason="报废", **act)
    assert stock.codes() == []
    with pytest.raises(NotFound):
        read(stock, id)
    with stock.app.db.connect() as connection:
        assert connection.scalar(select(stock.table.c.deleted_reason)) == "报废"


def test_records_of_cases_are_not_made_or_removed_here(stock: Stock) -> None:
    with pytest.raises(Forbidden):
        create_record(stock.app, actor=stock.actor(), register="borrow_umbrella.umbrella_loan", data={"place": "公园"}, key=new_id(), at=stock.app.clock.now())
