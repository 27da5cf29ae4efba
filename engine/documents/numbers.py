"""文号: without gaps or doubles per unit, year and kind.

The counter's row is locked by the act that takes a number and stays locked until it commits, so that a rollback gives the
number back and the next act waits. An act takes this lock last but one; only the audit head comes after.
"""
from __future__ import annotations

import string
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, update
from sqlalchemy.dialects.postgresql import insert

from engine.documents.units import authority, lineage, number_word
from engine.kernel.clock import legal_date
from engine.kernel.errors import DeployRefused, NotFound
from engine.kernel.ids import new_id
from engine.packs.manifest import NumberRule
from engine.storage.tables.documents import number_book, number_counter

FIELDS = frozenset({"unit", "year", "seq", "month"})


@dataclass(frozen=True, kw_only=True)
class GivenNumber:
    """A number as entered in the book."""

    id: UUID
    text: str
    unit_id: UUID
    year: int
    seq: int


def check_pattern(pattern: str) -> None:
    """Raise DeployRefused unless ``pattern`` names only known fields and counts."""
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None}
        pattern.format(unit="沪", year=2025, month=1, seq=1)
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise DeployRefused(f"编号规则“{pattern}”写错了：{error}") from None
    if not fields <= FIELDS or "seq" not in fields:
        raise DeployRefused(f"编号规则“{pattern}”只能用 {{unit}} {{year}} {{month}}，并且要有 {{seq}}")


def give_number(
    connection: Connection, *, rule: NumberRule, unit_id: UUID, at: datetime, case_id: UUID | None = None, document_id: UUID | None = None
) -> GivenNumber:
    """The next number of ``rule`` for the unit of a case, entered in the book in the caller's transaction.

    The year is the legal year of ``at``; ``rule.per`` says whether the unit counts for itself or its bureau for all.
    """
    return _give(connection, rule, unit_id, at, 1, case_id=case_id, document_id=document_id)[0]


def give_numbers(connection: Connection, *, rule: NumberRule, unit_id: UUID, at: datetime, count: int) -> list[str]:
    """The next ``count`` numbers of ``rule``, in order, as ``give_number`` gives one: three statements whatever the count."""
    return [given.text for given in _give(connection, rule, unit_id, at, count)]


def _give(
    connection: Connection, rule: NumberRule, unit_id: UUID, at: datetime, count: int, *, case_id: UUID | None = None, document_id: UUID | None = None,
) -> list[GivenNumber]:
    check_pattern(rule.pattern)
    rows = lineage(connection, unit_id)
    counting = rows[0].id if rule.per == "unit" else authority(rows).id
    day = legal_date(at)
    last = _next(connection, counting, day.year, rule.name, count)
    word = number_word(rows) if "{unit" in rule.pattern else ""
    given = [
        GivenNumber(id=new_id(), text=rule.pattern.format(unit=word, year=day.year, month=day.month, seq=seq), unit_id=counting, year=day.year, seq=seq)
        for seq in range(last - count + 1, last + 1)
    ]
    connection.execute(number_book.insert(), [
        {"id": one.id, "unit_id": counting, "year": day.year, "kind": rule.name, "seq": one.seq, "text": one.text, "state": "used", "case_id": case_id,
         "document_id": document_id, "at": at}
        for one in given
    ])
    return given


def void_number(connection: Connection, *, number_id: UUID, reason: str) -> None:
    """Mark a number as 作废; it stays in the book, so that the row of numbers has no gap."""
    done = connection.execute(update(number_book).where(number_book.c.id == number_id).values(state="void", reason=reason))
    if done.rowcount != 1:
        raise NotFound("编号簿里没有这个编号。")


def _next(connection: Connection, unit_id: UUID, year: int, kind: str, count: int) -> int:
    """The counter after ``count`` more."""
    statement = insert(number_counter).values(unit_id=unit_id, year=year, kind=kind, last=count)
    raised = statement.on_conflict_do_update(
        index_elements=["unit_id", "year", "kind"], set_={"last": number_counter.c.last + count}
    ).returning(number_counter.c.last)
    return int(connection.execute(raised).scalar_one())
