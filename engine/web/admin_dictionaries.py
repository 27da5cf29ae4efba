"""字典: laws, causes of action, steps of discretion and other lists of words; who keeps one changes it here from a day on."""
from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from engine.kernel.errors import Forbidden, Invalid, NotFound
from engine.kernel.names import is_name
from engine.reference import pinyin
from engine.reference.dictionaries import Dictionary, Entry, load_dictionary, versions_of
from engine.runtime.change_dictionary import (
    OURS,
    Head,
    add_to_dictionary,
    change_in_dictionary,
    detail_fields,
    end_in_dictionary,
    listed,
    may_change,
    read_detail,
    read_head,
    shown,
)
from engine.web.answers import done
from engine.web.context import actor, application, now, reading, today

blueprint = Blueprint("admin_dictionaries", __name__)
SIZE = 50


@blueprint.get("/admin/dictionaries")
def page() -> ResponseReturnValue:
    """Dictionaries by pack, those the reader keeps first."""
    app, mine = application(), []
    groups: dict[str, list[dict[str, Any]]] = {}
    with reading() as connection:
        for name in listed(app):
            head = read_head(app, name)
            if may_change(connection, head=head, actor=actor(), on=today()):
                mine.append(_link(head))
            pack = name.split(".", 1)[0]
            groups.setdefault(app.catalogue.packs[pack].title if pack in app.catalogue.packs else "各业务包共用", []).append(_link(head))
    return render_template("admin/dictionaries.html", groups=groups, mine=mine)


def _link(head: Head) -> dict[str, Any]:
    pack, name = head.name.split(".", 1)
    return {"title": head.title, "url": url_for("admin_dictionaries.one", pack=pack, name=name), "kept": head.kept}


@blueprint.get("/admin/dictionaries/<pack>/<name>")
def one(pack: str, name: str) -> ResponseReturnValue:
    return _show(pack, name)


@blueprint.post("/admin/dictionaries/<pack>/<name>")
def add(pack: str, name: str) -> ResponseReturnValue:
    """A new entry."""
    full, given = _named(pack, name), request.form
    try:
        add_to_dictionary(
            application(), actor=actor(), name=full, code=given.get("code", "").strip(), title=given.get("title", ""), parent=given.get("parent", "").strip() or None,
            detail=_detail(full), valid_from=_day("valid_from"), source=given.get("source", ""), at=now(),
        )
    except (Invalid, Forbidden) as error:
        return _show(pack, name, error=error), 403 if isinstance(error, Forbidden) else 422
    return done(url_for("admin_dictionaries.entry", pack=pack, name=name, code=given["code"].strip()), "已增加。")


@blueprint.get("/admin/dictionaries/<pack>/<name>/<code>")
def entry(pack: str, name: str, code: str) -> ResponseReturnValue:
    return _entry(pack, name, code)


@blueprint.post("/admin/dictionaries/<pack>/<name>/<code>")
def change(pack: str, name: str, code: str) -> ResponseReturnValue:
    """Other words from a day on, or the last day, as the button says."""
    full, given = _named(pack, name), request.form
    try:
        if given.get("what") == "end":
            text = given.get("last_day", "").strip()
            end_in_dictionary(application(), actor=actor(), name=full, code=code, last_day=_day("last_day") if text else None, source=given.get("source", ""), at=now())
        else:
            change_in_dictionary(
                application(), actor=actor(), name=full, code=code, title=given.get("title", ""), parent=given.get("parent", "").strip() or None, detail=_detail(full),
                valid_from=_day("valid_from"), source=given.get("source", ""), at=now(),
            )
    except (Invalid, Forbidden) as error:
        return _entry(pack, name, code, error=error), 403 if isinstance(error, Forbidden) else 422
    return done(url_for("admin_dictionaries.entry", pack=pack, name=name, code=code), "已记下。在办的案件不变，生效日起立的案件按新的办。")


def _named(pack: str, name: str) -> str:
    full = f"{pack}.{name}"
    if not (is_name(pack) and is_name(name)) or full not in set(listed(application())):
        raise NotFound("没有这个字典。")
    return full


def _day(field: str) -> date:
    try:
        return date.fromisoformat(request.form.get(field, ""))
    except ValueError:
        raise Invalid("请填日期。", fields={field: "请填日期，如 2026-12-01。"}) from None


def _detail(full: str) -> dict[str, Any]:
    with reading() as connection:
        fields = detail_fields(read_head(application(), full), load_dictionary(connection, dictionary=full))
    return read_detail(fields, {one.key: request.form.get(f"detail.{one.key}", "") for one in fields})


def _show(pack: str, name: str, *, error: Invalid | Forbidden | None = None) -> str:
    full = _named(pack, name)
    asked, start = request.args.get("q", "").strip()[:60], max(request.args.get("from", 0, type=int), 0)
    with reading() as connection:
        head, found = read_head(application(), full), load_dictionary(connection, dictionary=full)
        kept = may_change(connection, head=head, actor=actor(), on=today())
        parents = load_dictionary(connection, dictionary=head.parent) if head.parent else None
    entries = [one for one in found.entries.values() if not asked or asked in (one.code, *one.former) or pinyin.matches(asked, title=one.as_of(today()).title, key=one.pinyin)]
    rows = [_row(one, parents) for one in entries[start:start + SIZE]]
    return render_template(
        "admin/dictionary.html", head=head, pack=pack, name=name, rows=rows, asked=asked, start=start, size=SIZE, count=len(entries), kept=kept, error=error,
        fields=detail_fields(head, found), given=request.form if error else {}, parents=parents.options(on=today()) if parents else [],
    )


def _row(one: Entry, parents: Dictionary | None) -> dict[str, Any]:
    seen = one.as_of(today())
    coming = [version.valid_from for version in one.versions if version.valid_from and version.valid_from > today()]
    parent = parents.title(seen.parent, as_of=today()) if parents and seen.parent else seen.parent
    return {"code": one.code, "title": seen.title, "parent": parent, "in_force": one.in_force(today()), "from": one.valid_from, "until": one.valid_until,
            "coming": coming[0] if coming else None, "versions": len(one.versions)}


def _entry(pack: str, name: str, code: str, *, error: Invalid | Forbidden | None = None) -> str:
    full = _named(pack, name)
    with reading() as connection:
        head, found = read_head(application(), full), load_dictionary(connection, dictionary=full)
        began = found.entries.get(code)
        if began is None:
            raise NotFound("字典里没有这一项。")
        kept, history = may_change(connection, head=head, actor=actor(), on=today()), _history(connection, full, began)
        parents = load_dictionary(connection, dictionary=head.parent).options(on=today()) if head.parent else []
    fields, seen = detail_fields(head, found), began.as_of(today())
    return render_template(
        "admin/dictionary_entry.html", head=head, pack=pack, name=name, began=began, seen=seen, in_force=began.in_force(today()), fields=fields, kept=kept, history=history,
        error=error, given=request.form if error else {}, shown=shown, parents=parents,
    )


def _history(connection: Connection, full: str, began: Entry) -> list[dict[str, Any]]:
    """Every version, newest first, the one it began with last."""
    later = [{"from": row.valid_from, "title": row.title, "detail": row.detail or {}, "source": row.source, "by": row.by_name, "at": row.at} for row in versions_of(connection, dictionary=full, code=began.code)]
    detail = dict(began.detail or {})
    ours = detail.pop(OURS, None) == "page"
    source = detail.pop("source", "") if ours else "随业务包发布"
    return [*later, {"from": began.valid_from, "title": began.title, "detail": detail, "source": source, "by": None, "at": None}]
