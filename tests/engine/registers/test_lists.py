"""Lists of records: narrowed, ordered, paged by key, with secrets kept."""
from __future__ import annotations

import pytest
from sqlalchemy import text

from engine.kernel.errors import Invalid
from engine.registers.filters import read_asked
from tests.engine.registers.stock import Stock


@pytest.mark.parametrize(
    "pairs, found",
    [
        ([("f.colour", "red")], {"伞-001", "布伞-004"}),
        ([("f.colour", "red"), ("f.colour", "blue")], {"伞-001", "伞-002", "伞-003", "布伞-004"}),
        ([("f.tags", "big")], {"伞-002"}),
        ([("f.price.from", "5"), ("f.price.to", "39.90")], {"伞-001", "布伞-004"}),
        ([("f.weight.to", "10")], {"伞-002"}),
        ([("f.bought_on.from", "2026-01-01")], {"伞-001", "伞-002"}),
        ([("f.bought_on.to", "2026-01-05")], {"伞-001", "伞-003"}),
        ([("f.checked_at.from", "2026-11-19"), ("f.checked_at.to", "2026-11-19")], {"伞-003"}),
        ([("f.working", "false")], {"伞-002"}),
        ([("f.code", "布")], {"布伞-004", "布伞-005"}),
        ([("q", "伞 00"), ("f.colour", "red"), ("f.price.from", "10")], {"伞-001"}),
        ([("q", "")], {"伞-001", "伞-002", "伞-003", "布伞-004", "布伞-005"}),
    ],
)
def test_filters_hold_together(filled: Stock, pairs: list[tuple[str, str]], found: set[str]) -> None:
    assert set(filled.codes(*pairs)) == found


@pytest.mark.parametrize("name", ["code", "colour", "price", "weight", "bought_on", "checked_at", "working"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_every_listed_column_orders_the_list_and_pages_by_key(filled: Stock, name: str, sign: str) -> None:
    order = ("sort", f"{sign}{name}")
    whole, parts, after = filled.codes(order), [], None
    while True:
        page = filled.page(order, size=2, after=after, before=len(parts))
        parts += [row.cells["code"] for row in page.rows]
        after = page.next
        if after is None:
            break
    assert parts == whole
    assert len(set(whole)) == 5


def test_what_is_empty_comes_first_upwards_and_last_downwards(filled: Stock) -> None:
    assert filled.codes(("sort", "price"))[2:] == ["布伞-004", "伞-001", "伞-002"]
    assert filled.codes(("sort", "-price"))[:3] == ["伞-002", "伞-001", "布伞-004"]


def test_the_order_comes_from_its_index(filled: Stock) -> None:
    from engine.access.actors import SEE_ALL
    from engine.runtime.queries.registers import _read

    seen: list[str] = []
    keeper = filled.actor("keeper")
    assert SEE_ALL in keeper.rights
    with filled.app.db.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_sort = off"))
        rows = connection.execute(text(
            "EXPLAIN SELECT id FROM reg.borrow_umbrella__stock WHERE deleted_at IS NULL"
            " ORDER BY coalesce(reg.borrow_umbrella__stock.\"price\", '-Infinity'::numeric) DESC, id DESC LIMIT 3"
        )).scalars()
        seen = list(rows)
        assert _read(connection, keeper, filled.register, filled.table, read_asked(filled.register, [("sort", "-price")]), 3, None)
    assert any("Index" in line and "ix_o_" in line for line in seen), seen


@pytest.mark.parametrize(
    "pair",
    [("f.nothing", "1"), ("f.secret", "甲"), ("f.phone", "139"), ("sort", "secret"), ("sort", "phone"), ("sort", "note"), ("f.price.from", "贵"),
     ("f.bought_on.from", "2026-13-01"), ("f.working", "也许"), ("col", "deleted_at"), ("f.price.from", "NaN"), ("sort", "id; drop table person")],
)
def test_what_the_register_does_not_offer_is_refused(stock: Stock, pair: tuple[str, str]) -> None:
    with pytest.raises(Invalid):
        read_asked(stock.register, [pair])


@pytest.mark.parametrize("after", ["%%%", "WzFd", "WyJhIiwiYiJd"])
def test_a_made_up_cursor_is_refused(filled: Stock, after: str) -> None:
    for sort in ("price", "bought_on", "checked_at", "working"):
        with pytest.raises(Invalid):
            filled.page(("sort", sort), after=after)


def test_secrets_do_not_show_and_do_not_find(filled: Stock) -> None:
    row = next(row for row in filled.page().rows if row.cells["code"] == "伞-001")
    assert row.cells["secret"] == "••••"
    assert row.cells["phone"] == "139••••1234"
    assert row.values["phone"] is None
    assert filled.codes(("q", "13900001234")) == []


def test_chosen_columns_and_the_way_back_to_the_address(stock: Stock) -> None:
    asked = read_asked(stock.register, [("col", "note"), ("col", "code"), ("f.colour", "red"), ("f.price.from", "1"), ("sort", "-price"), ("q", "伞"), ("after", "x")])
    assert asked.columns == ("code", "note")
    from urllib.parse import parse_qsl

    assert read_asked(stock.register, parse_qsl(asked.address)) == asked
    assert read_asked(stock.register, [("col", one.name) for one in stock.register.listed]).columns == ()


def test_other_units_see_only_their_own(filled: Stock) -> None:
    assert filled.codes(login="other_officer") == []
    assert len(filled.codes(login="officer")) == 5
    assert len(filled.codes(login="keeper")) == 5
