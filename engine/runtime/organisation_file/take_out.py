"""The organisation as a file of the same shape: what goes out comes in again and changes nothing."""
from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, or_, select

from engine.access.actors import Actor
from engine.access.audit import note
from engine.kernel.clock import legal_date
from engine.reference.dictionaries import Dictionary
from engine.registers.excel import WIDTHS, Sheet, heading_of, write_templates
from engine.runtime.application import Application
from engine.runtime.export_register import mark_of
from engine.runtime.organisation_file.shape import CERTIFICATES, NOTES, POSTS, SHEETS, UNITS, choices
from engine.runtime.organising.perform import require_reader
from engine.storage.tables.certificates import certificate
from engine.storage.tables.organisation import person, post, unit

NUMBER = func.coalesce(person.c.code, func.cast(person.c.id, post.c.code.type))


def template(app: Application, *, actor: Actor, at: datetime) -> bytes:
    """The empty file with help and lists to choose from."""
    require_reader(actor)
    with app.db.connect() as connection:
        offered = choices(connection)
    with tempfile.TemporaryDirectory(prefix="guicheng-template-") as folder:
        path = Path(folder) / "template.xlsx"
        write_templates(path, SHEETS, offered, on=legal_date(at), mark=mark_of(actor, at, "下载模板"), title="组织", notes=NOTES)
        return path.read_bytes()


def take_out(app: Application, *, actor: Actor, path: str, at: datetime) -> bytes:
    """Units at and below ``path`` (empty: all) that are in use, who sits there today or will, and their certificates; on record.

    Telephone numbers stay inside.
    """
    require_reader(actor)
    with tempfile.TemporaryDirectory(prefix="guicheng-organisation-") as folder, app.db.begin() as connection:
        file, counts = Path(folder) / "organisation.xlsx", {}
        offered = choices(connection)
        sheet: Sheet | None = None
        for part, rows in zip(SHEETS, _parts(connection, path, legal_date(at), offered), strict=True):
            if sheet is None:
                sheet = Sheet(file, title=part.title, mark=mark_of(actor, at, "导出"))
            else:
                sheet.another(part.title)
            fields = list(part.fields.values())
            sheet.heading([heading_of(one) for one in fields], [WIDTHS[one.type] for one in fields])
            counts[part.title] = _fill(sheet, rows, [one.type for one in fields])
        if sheet is not None:
            sheet.close()
        note(connection, actor=actor, at=at, action="organisation.export", object="组织导出", detail={"path": path, **counts})
        return file.read_bytes()


def _fill(sheet: Sheet, rows: Iterator[Sequence[Any]], kinds: Sequence[str]) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 (how many there were)
        for column, value in enumerate(row):
            sheet.write(column, value, kinds[column] if kinds[column] == "date" else "")
        sheet.next()
    return count


def _parts(connection: Connection, path: str, on: date, offered: Any) -> tuple[Iterator[Sequence[Any]], ...]:
    return (
        _units(connection, path, offered[UNITS.fields["kind"].dictionary], offered[UNITS.fields["bureau"].dictionary]), _people(connection, path, on),
        _posts(connection, path, on, offered[POSTS.fields["code"].dictionary]), _certificates(connection, path, on, offered[CERTIFICATES.fields["kind"].dictionary]),
    )


def _below(path: str) -> Any:
    return unit.c.path.startswith(path, autoescape=True)


def _units(connection: Connection, path: str, kinds: Dictionary, bureaus: Dictionary) -> Iterator[Sequence[Any]]:
    above, u = unit.alias("above"), unit.c
    rows = connection.execute(
        select(u.code, u.name, u.short_name, u.kind, above.c.code.label("parent"), u.bureau, u.number_word, u.area_code)
        .outerjoin(above, above.c.id == u.parent_id).where(u.active, _below(path)).order_by(u.path)
    )
    for row in rows:
        yield (row.code, row.name, row.short_name, kinds.title(row.kind), row.parent, bureaus.title(row.bureau), row.number_word, row.area_code)


def _held(path: str, on: date) -> Any:
    """People with a post there that isn't over."""
    return select(post.c.person_id).join(unit, unit.c.id == post.c.unit_id).where(_below(path), or_(post.c.valid_until.is_(None), post.c.valid_until >= on))


def _people(connection: Connection, path: str, on: date) -> Iterator[Sequence[Any]]:
    rows = connection.execute(select(NUMBER.label("number"), person.c.name).where(person.c.active, person.c.id.in_(_held(path, on))).order_by(person.c.pinyin, person.c.id))
    for row in rows:
        yield (row.number, row.name)


def _posts(connection: Connection, path: str, on: date, posts: Dictionary) -> Iterator[Sequence[Any]]:
    p = post.c
    rows = connection.execute(
        select(NUMBER.label("number"), person.c.name, unit.c.code.label("unit"), p.code, p.title, p.main, p.valid_from, p.valid_until)
        .select_from(post.join(person, person.c.id == p.person_id).join(unit, unit.c.id == p.unit_id))
        .where(person.c.active, unit.c.active, _below(path), or_(p.valid_until.is_(None), p.valid_until >= on)).order_by(unit.c.path, person.c.pinyin, p.valid_from, p.id)
    )
    for row in rows:
        yield (row.number, row.name, row.unit, posts.title(row.code), row.title, row.main, row.valid_from, row.valid_until)


def _certificates(connection: Connection, path: str, on: date, kinds: Dictionary) -> Iterator[Sequence[Any]]:
    c = certificate.c
    rows = connection.execute(
        select(NUMBER.label("number"), person.c.name, c.kind, c.number.label("serial"), c.valid_from, c.valid_until)
        .join(person, person.c.id == c.person_id).where(person.c.active, person.c.id.in_(_held(path, on))).order_by(person.c.pinyin, person.c.id, c.valid_from)
    )
    for row in rows:
        yield (row.number, row.name, kinds.title(row.kind), row.serial, row.valid_from, row.valid_until)


