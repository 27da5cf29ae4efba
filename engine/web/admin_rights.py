"""权限: roles of packs and of one's own, who holds them, what they may; the matrix of all that."""
from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, render_template, url_for
from flask.typing import ResponseReturnValue

from engine.access.actors import RIGHTS
from engine.access.assignment import SCOPES as HOLDER_SCOPES
from engine.access.organisation import BUREAUS, UNIT_KINDS, units_below
from engine.registers.catalogue import registers_of
from engine.registers.excel import Sheet
from engine.registers.granted import ACTIONS, LEVELS, SCOPES
from engine.runtime.export_register import mark_of
from engine.runtime.organising import roles as verbs
from engine.runtime.organising.people import posts_offered
from engine.runtime.organising.perform import SECURITY
from engine.runtime.queries import organisation, rights
from engine.web.admin_forms import act, chosen, day, day_or_none, require_reader, require_right, said, tried
from engine.web.confirm import is_stale, sensitive
from engine.web.context import actor, application, identifier, new_key, now, reading, today
from engine.web.more_acts import near

blueprint = Blueprint("admin_rights", __name__)
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HOLDER_WORDS = {"own": "本单位", "agency": "本局", "city": "市级"}
EVERYBODY = "everybody"


@blueprint.get("/admin/rights")
def page() -> ResponseReturnValue:
    """All roles by pack; who has one of the global rights."""
    require_reader()
    return _page()


def _page(message: str = "", errors: dict[str, str] | None = None) -> str:
    with reading() as connection:
        found = rights.roles(application(), connection, on=today())
        history = organisation.history(connection, rights_only=True)
        special = organisation.rights_held(connection)
        general = rights.grants_of(connection, role="*", on=today())
    groups: dict[str, list[rights.Role]] = {}
    for role in found:
        groups.setdefault(role.pack, []).append(role)
    return render_template(
        "admin/rights.html", groups=groups, history=history, special=special, right_words=RIGHTS, general=[verbs.grant_words(application(), row) for row in general],
        may=SECURITY in actor().rights, key=new_key(), message=message, errors=errors or {}, stale=SECURITY in actor().rights and is_stale(),
    )


@blueprint.post("/admin/rights/roles")
@sensitive
def add() -> ResponseReturnValue:
    require_right(SECURITY)

    def do() -> str:
        verbs.add_role(application(), word=said("word"), title=said("title"), help=said("help"), **act())
        return "已设角色。下一步：写明谁担任，再给它权限。"

    return tried(do, location=url_for("admin_rights.role", role=f"own.{said('word')}"), again=_page)


@blueprint.get("/admin/rights/roles/<role>")
def role(role: str) -> ResponseReturnValue:
    require_reader()
    return _role(role)


def _role(role: str, message: str = "", errors: dict[str, str] | None = None) -> str:
    app, name = application(), "*" if role == EVERYBODY else role
    with reading() as connection:
        values: dict[str, Any] = {
            "title": verbs.role_title(app, connection, name), "holders": rights.holders_of(connection, role=name), "named": rights.people_of(connection, role=name),
            "grants": [(row, verbs.grant_words(app, row)) for row in rights.grants_of(connection, role=name)], "units": units_below(connection),
            "posts": posts_offered(connection), "near": near(connection),
        }
    known = registers_of(app.library)
    return render_template(
        "admin/role.html", role=role, name=name, may=SECURITY in actor().rights, key=new_key(), today=today(), message=message, errors=errors or {}, kinds=UNIT_KINDS, stale=SECURITY in actor().rights and is_stale(),
        bureaus=BUREAUS, holder_scopes=HOLDER_WORDS, functions=verbs.FUNCTIONS, actions=ACTIONS, scopes=SCOPES, levels=LEVELS,
        registers=sorted(((register, one.title) for register, (one, _) in known.items()), key=lambda pair: pair[1]),
        fields=sorted((f"{register}.{name}", f"{one.title}：{field.title}") for register, (one, _) in known.items() for name, field in one.fields.items()), **values,
    )


@blueprint.post("/admin/rights/roles/<role>/<any(holder, person, end_holder, grant, end_grant, close):what>")
@sensitive
def change(role: str, what: str) -> ResponseReturnValue:
    require_right(SECURITY)
    name = "*" if role == EVERYBODY else role
    return tried(lambda: _DO[what](name), location=url_for("admin_rights.role", role=role), again=lambda message, errors: _role(role, message, errors))


def _dates() -> dict[str, Any]:
    return {"valid_from": day_or_none("valid_from", "开始日期") or today(), "valid_until": day_or_none("valid_until", "结束日期")}


def _holder(role: str) -> str:
    unit = said("unit")
    scope = said("scope")
    verbs.add_holder(
        application(), role=role, post_code=said("post"), unit_kind=said("unit_kind"), scope=scope if scope in HOLDER_SCOPES else "own", bureau=said("bureau") or None,
        unit_id=identifier(unit, "单位") if unit else None, **_dates(), **act(),
    )
    return "已记下，从开始那天起生效。"


def _person(role: str) -> str:
    verbs.name_holder(application(), role=role, person_id=chosen("people", "人员"), **_dates(), **act())
    return "已给到本人，从开始那天起生效。"


def _end_holder(role: str) -> str:
    verbs.end_holder(application(), holder_id=chosen("holder", "对应"), last_day=day("last_day", "最后一天"), **act())
    return "已写明结束的日子。"


def _grant(role: str) -> str:
    kind = said("kind")
    object, level = {"function": ("function", "use"), "register": ("register", said("action")), "closed": ("register", said("action")), "field": ("field", said("level"))}.get(kind, ("", ""))
    verbs.give_grant(application(), role=role, kind=kind, object=said(object), level=level, scope=said("scope") or "own", **_dates(), **act())
    return "已授权，从开始那天起，下一次点开页面就生效。"


def _end_grant(role: str) -> str:
    verbs.end_grant(application(), grant_id=chosen("grant", "授权"), last_day=day("last_day", "最后一天"), **act())
    return "已写明结束的日子。"


def _close(role: str) -> str:
    verbs.close_role(application(), role=role, **act())
    return "角色已停用，它的授权都不再生效。"


_DO = {"holder": _holder, "person": _person, "end_holder": _end_holder, "grant": _grant, "end_grant": _end_grant, "close": _close}


@blueprint.get("/admin/rights/matrix")
def matrix() -> ResponseReturnValue:
    """Every role that may anything, with what: the same as the file."""
    require_reader()
    with reading() as connection:
        rows = rights.matrix(application(), connection, on=today())
    titles = {name: register.title for name, (register, _) in registers_of(application().library).items()}
    return render_template("admin/matrix.html", rows=[row for row in rows if row.starts or row.functions or row.registers or row.fields], registers=titles)


@blueprint.get("/admin/rights/matrix.xlsx")
def matrix_file() -> ResponseReturnValue:
    """Roles down, functions and registers across."""
    require_reader()
    with reading() as connection:
        rows = rights.matrix(application(), connection, on=today())
    known = [(name, register.title) for name, (register, _) in sorted(registers_of(application().library).items())]
    with tempfile.TemporaryDirectory(prefix="guicheng-matrix-") as folder:
        path = Path(folder) / "matrix.xlsx"
        _write(path, rows, known)
        answer = Response(path.read_bytes(), mimetype=EXCEL)
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote('权限矩阵.xlsx')}"
    return answer


def _write(path: Path, rows: list[rights.Held], registers: list[tuple[str, str]]) -> None:
    sheet = Sheet(path, title="权限矩阵", mark=mark_of(actor(), now(), "导出"))
    sheet.heading(["业务", "角色", "代号", "担任", "可以发起", "功能", "栏目", *(f"台账：{title}" for _, title in registers)], [20, 24, 28, 8, 40, 24, 32, *(18 for _ in registers)])
    for row in rows:
        cells = [row.role.pack, row.role.title, row.role.name, row.role.holders, "、".join(row.starts), "、".join(row.functions), "、".join(row.fields)]
        for column, value in enumerate([*cells, *("、".join(row.registers.get(name, ())) for name, _ in registers)]):
            sheet.write(column, value)
        sheet.next()
    sheet.close()
