"""Draw records of a register: the list as the drawer sees it, a rule, a public seed, a proof that is kept."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects.postgresql import insert

from engine.access import audit
from engine.access.actors import Actor
from engine.access.assignment import candidates
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from engine.registers.catalogue import get_register
from engine.registers.declaration import Register
from engine.registers.filters import narrow, read_asked
from engine.registers.granted import granted, is_closed
from engine.registers.scope import visible
from engine.reporting.sampling.draw import LARGEST, Drawn, Item, Rule, draw
from engine.reporting.sampling.proof import population_sm3, proof, rule_as_json
from engine.runtime.application import Application
from engine.runtime.queries.record_titles import table_column, title_field
from engine.runtime.queries.record_words import Words
from engine.storage.tables.sampling import sample_draw, sample_pick

OWN_SEED = "系统生成的随机数"
LONGEST_SEED = 200


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be drawn. ``query`` narrows the register as a list's address does; ``stratum`` names a field. An empty seed is made here.

    ``previous_id`` is the draw that this one replaces; then ``reason`` must say why.
    """

    title: str
    register: str
    rule: Rule
    query: str = ""
    stratum: str = ""
    seed: str = ""
    seed_source: str = ""
    previous_id: UUID | None = None
    reason: str = ""


def may_draw(connection: Connection, *, register: Register, actor: Actor, at: datetime) -> bool:
    """True when the register may be drawn from on its page and the actor holds the role that does."""
    if granted(actor, register.name, "draw"):
        return True
    if register.draws is None or is_closed(actor, register.name, "draw"):
        return False
    pairs = candidates(connection, role=register.draws, case_unit_id=actor.unit_id, on=legal_date(at))
    return not set(actor.posts).isdisjoint(pairs)


def draw_sample(app: Application, *, actor: Actor, order: Order, key: UUID, at: datetime) -> UUID:
    """Draw from the register's page; the draw's id is ``key``, so that a form sent twice draws once. Raises Forbidden and as ``make_draw``."""
    register, _ = get_register(app.library, order.register)
    with app.db.begin() as connection:
        if not may_draw(connection, register=register, actor=actor, at=at):
            raise Forbidden(f"您的岗位不能从“{register.title}”抽样。")
        if connection.scalar(select(sample_draw.c.id).where(sample_draw.c.id == key)):
            return key
        return make_draw(app, connection, actor=actor, order=order, id=key, at=at)


def make_draw(app: Application, connection: Connection, *, actor: Actor, order: Order, id: UUID, at: datetime, case_id: UUID | None = None) -> UUID:
    """Draw in the caller's transaction; what was picked, the proof and the audit entry are kept.

    Raises Invalid (no title, no such field, nothing to draw from, a re-draw without a reason), NotFound, Conflict when the earlier
    draw was replaced already.
    """
    register, table = get_register(app.library, order.register)
    _check(connection, register, order)
    population = _population(connection, actor, register, table, order, at)
    seed, source = (order.seed.strip(), order.seed_source.strip() or "抽样人填写") if order.seed.strip() else (token_hex(32), OWN_SEED)
    drawn = draw(population, rule=order.rule, seed=seed)
    if not drawn.picked:
        raise Invalid("按这个标准一个也抽不到，请核对数量。")
    head = {
        "title": order.title.strip(), "register": register.name, "filter": order.query, "at": at.isoformat(), "by": f"{actor.unit_name} {actor.name}",
        "seed_source": source, "redraw_of": str(order.previous_id) if order.previous_id else None, "reason": order.reason.strip(),
    }
    sm3 = app.blobs.put(proof(head=head, population=population, rule=order.rule, seed=seed, drawn=drawn))
    connection.execute(insert(sample_draw).values(
        id=id, title=order.title.strip(), register=register.name, query=order.query, stratum=order.stratum, rule=rule_as_json(order.rule), seed=seed, seed_source=source,
        population=len(population), population_sm3=population_sm3(population), picked=len(drawn.picked), strata=_strata(drawn), proof_sm3=sm3, case_id=case_id,
        previous_id=order.previous_id, reason=order.reason.strip(), by_id=actor.person_id, by_name=actor.name, unit_id=actor.unit_id, district_id=actor.district_id, at=at,
    ))
    connection.execute(insert(sample_pick), [
        {"draw_id": id, "record_id": UUID(one.item.id), "place": place, "stratum": one.item.stratum, "label": one.item.label, "lot": one.lot, "rank": one.rank, "must": one.must}
        for place, one in enumerate(drawn.picked, start=1)
    ])
    audit.append(
        connection, chain=audit.chain_of(actor), at=at, actor_id=actor.person_id, actor_name=actor.name, action="sample.draw", object=f"{register.name}:{id}", case_id=case_id,
        detail={"population": len(population), "picked": len(drawn.picked), "proof": sm3, "redraw_of": head["redraw_of"], "reason": head["reason"]},
    )
    return id


def _check(connection: Connection, register: Register, order: Order) -> None:
    if not order.title.strip():
        raise Invalid("请写抽样的名称。", fields={"title": "写抽样的名称。"})
    if len(order.seed) > LONGEST_SEED:
        raise Invalid(f"种子最多 {LONGEST_SEED} 个字。", fields={"seed": "种子太长。"})
    if order.stratum and (order.stratum not in register.fields or register.fields[order.stratum].secret):
        raise Invalid("没有这个分层栏目，请重新选。", fields={"stratum": "请重新选。"})
    if order.previous_id is None:
        return
    if not order.reason.strip():
        raise Invalid("重抽要写明原因，原来的结果和原因都会公开在案。", fields={"reason": "写明为什么重抽。"})
    earlier = connection.execute(select(sample_draw.c.register).where(sample_draw.c.id == order.previous_id).with_for_update()).one_or_none()
    if earlier is None or earlier.register != register.name:
        raise NotFound("没有要重抽的那一次抽样。")
    if connection.scalar(select(sample_draw.c.id).where(sample_draw.c.previous_id == order.previous_id)):
        raise Conflict("那一次抽样已经重抽过了，请从最近的一次重抽。")


def _population(connection: Connection, actor: Actor, register: Register, table: Table, order: Order, at: datetime) -> list[Item]:
    """Everything the drawer's list holds, one more than may be drawn from at most."""
    asked = read_asked(register, parse_qsl(order.query), on=legal_date(at))
    label = table_column(table, title_field(register))
    columns = [table.c.id, label.label("x_label"), *([table.c[order.stratum]] if order.stratum else [])]
    rows = connection.execute(narrow(visible(register, table, actor, *columns), register, table, asked).limit(LARGEST + 1)).mappings().all()
    strata = _stratum_words(connection, register, order.stratum, rows)
    return [Item(id=str(row["id"]), stratum=strata(row), label=row["x_label"] or "") for row in rows]


def _stratum_words(connection: Connection, register: Register, stratum: str, rows: Any) -> Any:
    if not stratum:
        return lambda row: ""
    field = register.fields[stratum]
    words = Words(connection, [field], rows)
    return lambda row: words.text(field, row[stratum]) or "未填"


def _strata(drawn: Drawn) -> list[Mapping[str, Any]]:
    return [{"name": one.name, "size": one.size, "wanted": one.wanted, "picked": one.picked} for one in drawn.strata]


MOST_NAMED = 200


def ids_named(connection: Connection, *, register: Register, table: Table, actor: Actor, text: str, field: str) -> frozenset[str]:
    """Ids of the records that the lines of ``text`` name by the title or a serial of theirs, for ``Rule.must`` and ``Rule.without``.

    Raises Invalid under ``field`` for a line that names no record, or several, that ``actor`` sees.
    """
    names = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if len(names) > MOST_NAMED:
        raise Invalid(f"一次最多写 {MOST_NAMED} 条。", fields={field: f"最多 {MOST_NAMED} 条，一行一条。"})
    shown = title_field(register)
    told = [one.name for one in register.fields.values() if not one.secret and (one.type == "serial" or one == shown)]
    found: dict[str, set[str]] = {name: set() for name in names}
    for column in told if names else ():
        rows = connection.execute(visible(register, table, actor, table.c.id, table.c[column].label("x_name")).where(table.c[column].in_(names)))
        for row in rows:
            found[row.x_name].add(str(row.id))
    wrong = [f"“{name}”{'没有找到' if not ids else f'有 {len(ids)} 条，请改写编号'}" for name, ids in found.items() if len(ids) != 1]
    if wrong:
        raise Invalid("必抽、排除的名单里有不认识的，请核对。", fields={field: "；".join(wrong[:5])})
    return frozenset(id for ids in found.values() for id in ids)
