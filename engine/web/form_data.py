"""What the pickers of a form ask for while somebody types: entries of a dictionary, people, units, cases, known parties."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select

from engine.access import assignment, audit, organisation, parties
from engine.access.scope import restrict
from engine.form_filling.party_records import party_value
from engine.kernel.names import is_name
from engine.reference import pinyin
from engine.reference.dictionaries import load_dictionary
from engine.runtime.queries.record_titles import find_records
from engine.storage.tables.cases import case_file
from engine.web.context import actor, application, identifier, now, reading, today, writing

blueprint = Blueprint("form_data", __name__)
MOST = 20


def _asked() -> str:
    return request.args.get("q", "").strip()[:60]


def _items(items: list[dict[str, Any]]) -> ResponseReturnValue:
    return jsonify({"items": items})


@blueprint.get("/forms/options")
def options() -> ResponseReturnValue:
    """Entries of ``dictionary`` in force today, below ``parent`` when one is named, by title or pinyin initials."""
    name = request.args.get("dictionary", "")
    if len(name.split(".")) != 2 or not all(is_name(part) for part in name.split(".")):
        return _items([])
    with reading() as connection:
        found = load_dictionary(connection, dictionary=name).search(
            _asked(), on=today(), parent=request.args.get("parent") or None, since=_since(), limit=MOST
        )
    return _items([{"id": entry.code, "title": entry.title} for entry in found])


def _since() -> date | None:
    try:
        return date.fromisoformat(request.args.get("since", ""))
    except ValueError:
        return None


@blueprint.get("/forms/people")
def people() -> ResponseReturnValue:
    """People who hold a post today; each once, with all their posts beside the name.

    With ``role`` those who hold it, seen from the unit ``in`` or else from the reader's own, before anything is typed.
    """
    if request.args.get("role"):
        return _holders_of(request.args["role"], request.args.get("in"))
    if not _asked():
        return _items([])
    with reading() as connection:
        found = organisation.find_people(connection, text=_asked(), on=today(), limit=3 * MOST)
    posts: dict[str, dict[str, Any]] = {}
    for holder in found:
        entry = posts.setdefault(str(holder.person_id), {"id": str(holder.person_id), "title": holder.name, "note": ""})
        entry["note"] += ("，" if entry["note"] else "") + f"{holder.unit_name}{holder.post_title}"
    return _items(list(posts.values())[:MOST])


def _holders_of(role: str, place: str | None) -> ResponseReturnValue:
    unit_id, asked = identifier(place, "单位") if place else None, _asked()
    with reading() as connection:
        found = assignment.pool(connection, role=role, case_unit_id=actor().unit_id, on=today(), unit_id=unit_id)
        rows = assignment.holders(connection, pairs=found.pairs, on=today())
    fitting = [row for row in rows if asked in row.name or pinyin.matches(asked, title=row.name, key=pinyin.pinyin_key(row.name, person=True))]
    return _items([{"id": str(row.person_id), "title": row.name, "note": f"{row.unit_name}{row.post_title}"} for row in fitting[:MOST]])


@blueprint.get("/forms/units")
def units() -> ResponseReturnValue:
    """Active units by part of the name or pinyin initials, those of the reader's own bureau first (``within=agency``: only those).

    ``within=bureau``: only the reader's line; ``within=city``: only its city bureau; ``in``: only units at and below the one with this id.

    ``kinds`` names kinds of units, comma-separated; then all of them are offered before anything is typed.
    """
    asked, kinds, own = _asked(), list(filter(None, request.args.get("kinds", "").split(","))), actor().district_id
    if not asked and not kinds:
        return _items([])
    place = request.args.get("in")
    with reading() as connection:
        path = organisation.get_unit(connection, unit_id=identifier(place, "单位")).path if place else ""
        rows = organisation.units_below(connection, path=path, kinds=kinds)
    if request.args.get("within") == "agency":
        rows = [row for row in rows if row.district_id == own]
    elif request.args.get("within") in ("bureau", "city"):
        rows = [row for row in rows if row.bureau == actor().bureau and (request.args["within"] == "bureau" or row.district_id is None)]
    rows.sort(key=lambda row: row.district_id != own)
    found = [row for row in rows if asked in row.name or pinyin.matches(asked, title=row.short_name, key=pinyin.pinyin_key(row.short_name))]
    return _items([{"id": str(row.id), "title": row.name} for row in found[:MOST]])


@blueprint.get("/forms/cases")
def cases() -> ResponseReturnValue:
    """Cases that the reader may see, newest first, by number, title or party."""
    asked = _asked()
    if len(asked) < 2:
        return _items([])
    c = case_file.c
    matching = or_(*(column.contains(asked, autoescape=True) for column in (c.number, c.title, c.subject)))
    statement = select(c.id, c.number, c.title, c.subject, c.state_title).where(matching, c.voided_at.is_(None))
    with reading() as connection:
        rows = connection.execute(restrict(statement, actor()).order_by(c.updated_at.desc()).limit(MOST)).all()
    return _items(
        [{"id": str(row.id), "title": case_title(row), "note": "，".join(filter(None, (row.subject, row.state_title)))} for row in rows]
    )


@blueprint.get("/forms/records")
def records() -> ResponseReturnValue:
    """Records of ``register`` that the reader may see, last changed first, by part of what they are called."""
    name = request.args.get("register", "")
    if len(name.split(".")) != 2 or not all(is_name(part) for part in name.split(".")):
        return _items([])
    with reading() as connection:
        found = find_records(application(), connection, actor=actor(), register=name, text=_asked(), limit=MOST)
    return _items([{"id": str(id), "title": title} for id, title in found])


def case_title(row: Any) -> str:
    """Number and title of a case on one line."""
    return " ".join(filter(None, (row.number, row.title)))


@blueprint.get("/forms/parties")
def known_parties() -> ResponseReturnValue:
    """Known parties with masked numbers; with ``id`` the whole of one, which the audit chain notes."""
    wanted = request.args.get("id")
    if wanted:
        return jsonify({"party": _revealed(wanted)})
    with reading() as connection:
        found = parties.find_parties(connection, application().keys, text=_asked(), limit=MOST)
    return _items(
        [{"id": str(view.id), "title": view.name, "note": "，".join(filter(None, (view.identifier, view.address)))} for view in found]
    )


def _revealed(wanted: str) -> dict[str, Any]:
    party_id = identifier(wanted, "当事人")
    with writing() as connection:
        view = parties.get_party(connection, application().keys, party_id=party_id, reveal=True)
        audit.append(
            connection,
            chain=audit.chain_of(actor()),
            at=now(),
            actor_id=actor().person_id,
            actor_name=actor().name,
            action="party.reveal",
            object=str(party_id),
        )
    return party_value(view)
