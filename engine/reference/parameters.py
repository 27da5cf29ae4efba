"""What the law sets, as dated and sourced rows: time limits, amounts, rates. Packs bring the first, administrators add.

A row may hold for one unit and all below it; the nearest unit wins over its bureau, and that over the whole city.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from engine.kernel.errors import Invalid, NotFound
from engine.kernel.ids import new_id
from engine.storage.tables.organisation import unit
from engine.storage.tables.reference import parameter_value


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter on a day. ``value`` is a number in ``unit`` (working_day, day, month, year, CNY, percent, …) or None
    for a textual one; ``source`` is the law; ``rule`` what a clock needs besides (first day, rest day, extension)."""

    name: str
    title: str
    value: Decimal | None
    text: str | None
    unit: str
    source: str
    valid_from: date
    valid_until: date | None = None
    read_at: str = "act"
    rule: Mapping[str, Any] = field(default_factory=dict)


def find_value(connection: Connection, *, name: str, on: date, unit_id: UUID | None = None) -> Parameter | None:
    """The row of ``<pack>.<name>`` in force on ``on`` for ``unit_id`` (None: for the whole city), or None. One statement."""
    p = parameter_value.c
    place = unit.alias("place")
    statement = (
        select(parameter_value)
        .select_from(parameter_value.outerjoin(place, place.c.id == p.unit_id))
        .where(p.parameter == name, p.valid_from <= on, or_(p.valid_until.is_(None), p.valid_until >= on))
        .order_by(func.coalesce(func.length(place.c.path), 0).desc(), p.valid_from.desc(), (p.origin == "pack").asc(), p.id.desc())
        .limit(1)
    )
    if unit_id is None:
        statement = statement.where(p.unit_id.is_(None))
    else:
        path = select(unit.c.path).where(unit.c.id == unit_id).scalar_subquery()
        above = func.left(path, func.length(place.c.path)) == place.c.path
        statement = statement.where(or_(p.unit_id.is_(None), above))
    row = connection.execute(statement).one_or_none()
    return None if row is None else _parameter(row)


def get_value(connection: Connection, *, name: str, on: date, unit_id: UUID | None = None) -> Parameter:
    """Like ``find_value``; raises NotFound naming the parameter and the day."""
    found = find_value(connection, name=name, on=on, unit_id=unit_id)
    if found is None:
        raise NotFound(f"参数 {name} 在 {on:%Y-%m-%d} 没有生效的值，请管理员补充。", code="parameter_missing", parameter=name)
    return found


def value(connection: Connection, name: str, *, on: date, unit_id: UUID | None = None) -> Decimal | str | None:
    """The number, or else the text, of ``<pack>.<name>`` in force on ``on``; raises NotFound."""
    found = get_value(connection, name=name, on=on, unit_id=unit_id)
    return found.value if found.value is not None else found.text


def _parameter(row: Any) -> Parameter:
    detail = dict(row.detail or {})
    return Parameter(
        name=row.parameter,
        title=detail.pop("title", row.parameter),
        value=row.value,
        text=row.text,
        unit=row.unit,
        source=row.source,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        read_at=detail.pop("read_at", "act"),
        rule=detail,
    )


def history_of(connection: Connection, *, name: str) -> list[Parameter]:
    """All rows of a parameter, the newest first."""
    p = parameter_value.c
    rows = connection.execute(select(parameter_value).where(p.parameter == name).order_by(p.valid_from.desc(), p.id))
    return [_parameter(row) for row in rows]


def seed_parameters(connection: Connection, *, pack: str, content: Mapping[str, Mapping[str, Any]]) -> None:
    """Bring a pack's ``parameters.yaml`` in, replacing the pack's own rows; administrators' rows stay. Raises Invalid."""
    rows = [row for name, declared in content.items() for row in declared_rows(f"{pack}.{name}", declared)]
    p = parameter_value.c
    connection.execute(parameter_value.delete().where(p.parameter.startswith(f"{pack}.", autoescape=True), p.origin == "pack"))
    if rows:
        connection.execute(insert(parameter_value).values(rows))


def declared_rows(name: str, declared: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The table rows that one entry of ``parameters.yaml`` stands for; raises Invalid when a value has no date or no law."""
    shared = {key: value for key, value in declared.items() if key not in ("values", "unit")}
    rows = []
    for given in declared.get("values", ()):
        if "from" not in given or not (given.get("law") or given.get("source")):
            raise Invalid(f"参数 {name} 的每个值都要写明生效日期（from）和依据（law）。")
        value = given.get("value")
        number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        own = {key: item for key, item in given.items() if key not in ("value", "from", "until", "law", "source")}
        rows.append(
            {
                "id": new_id(),
                "parameter": name,
                "value": Decimal(str(value)) if number else None,
                "text": None if number or value is None else str(value),
                "unit": str(declared.get("unit", "")),
                "source": str(given.get("law") or given["source"]),
                "valid_from": given["from"],
                "valid_until": given.get("until"),
                "detail": {**shared, **own},
            }
        )
    return rows


def add_value(
    connection: Connection,
    *,
    name: str,
    value: Decimal | None,
    valid_from: date,
    source: str,
    text: str | None = None,
    unit_id: UUID | None = None,
    valid_until: date | None = None,
    detail: Mapping[str, Any] | None = None,
) -> UUID:
    """An administrator's value from a date on, for one unit if the law allows; unit and rule are those of the latest row, with
    the entries of ``detail`` in place of its own (None takes one out)."""
    if not source.strip():
        raise Invalid("请写明依据。", fields={"source": "请写明法律、规章或者文件的名称和条款。"})
    known = connection.execute(
        select(parameter_value).where(parameter_value.c.parameter == name).order_by(parameter_value.c.valid_from.desc()).limit(1)
    ).one_or_none()
    if known is None:
        raise NotFound(f"没有参数 {name}。")
    id = new_id()
    connection.execute(
        insert(parameter_value).values(
            id=id,
            parameter=name,
            value=value,
            text=text,
            unit=known.unit,
            source=source,
            valid_from=valid_from,
            valid_until=valid_until,
            unit_id=unit_id,
            origin="page",
            detail={name: item for name, item in {**(known.detail or {}), **(detail or {})}.items() if item is not None},
        )
    )
    return id
