"""组织里的人: the list, an officer's page, posts, certificates, account, transfer and leaving with hand-over."""
from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.access import sessions
from engine.access.actors import RIGHTS
from engine.access.organisation import get_person, posts_of, units_below
from engine.kernel.errors import Conflict, Invalid
from engine.runtime import grave_acts
from engine.runtime.hand_over_all import held_by
from engine.runtime.organising import accounts, certificates, people
from engine.runtime.organising.perform import ADMIN, SECURITY, Done, perform
from engine.runtime.queries import organisation as query
from engine.web.admin_forms import act, chosen, day, day_or_none, require_reader, require_right, said, tried
from engine.web.answers import done
from engine.web.confirm import is_stale, sensitive
from engine.web.context import actor, application, identifier, new_key, now, reading, today
from engine.web.more_acts import near

blueprint = Blueprint("admin_people", __name__)


@blueprint.get("/admin/organisation/people")
def page() -> ResponseReturnValue:
    """People narrowed by name, unit and whether they are still here."""
    require_reader()
    asked: dict[str, Any] = {"q": request.args.get("q", "").strip()[:50], "path": request.args.get("path", "")[:300], "gone": request.args.get("gone") == "1"}
    with reading() as connection:
        found = query.people(connection, text=asked["q"], path=asked["path"], gone=asked["gone"], on=today(), after=request.args.get("after"), before=request.args.get("n", 0, type=int))
        units = units_below(connection)
        posts = people.posts_offered(connection)
    return render_template("admin/people.html", people=found, units=units, asked=asked, posts=posts, may=ADMIN in actor().rights, key=new_key(), today=today(), errors={}, message="")


@blueprint.post("/admin/organisation/people")
def add() -> ResponseReturnValue:
    require_right(ADMIN)
    made: list[Any] = []

    def do() -> str:
        given = act()
        given.pop("reason")
        made.append(people.add_person(application(), name=said("name"), phone=said("phone"), seat=_seat(), **given))
        return f"已登记{said('name')}。可以继续登记证件、开账号。"

    try:
        told = do()
    except (Invalid, Conflict) as error:
        return _problem(error.message), error.status
    return done(url_for("admin_people.one", person_id=made[0]), told)


def _problem(message: str) -> str:
    return render_template("admin/problem.html", message=message, back=url_for("admin_people.page"))


def _seat() -> people.Seat:
    return people.Seat(
        unit_id=chosen("unit", "单位"), code=said("code"), title=said("title"), from_on=day_or_none("from_on", "开始日期") or today(),
        until_on=day_or_none("until_on", "结束日期"), main=said("main") == "1",
    )


@blueprint.get("/admin/organisation/people/<person_id>")
def one(person_id: str) -> ResponseReturnValue:
    require_reader()
    return _one(person_id)


def _one(person_id: str, message: str = "", errors: dict[str, str] | None = None, password: str = "", failed: str = "") -> str:
    """``failed``: the act whose form opens again with what was typed."""
    id = identifier(person_id, "人员")
    with reading() as connection:
        account = accounts.account_of(connection, person_id=id)
        sitting = query.actor_in(connection, person_id=id, on=today())
        values: dict[str, Any] = {
            "person": get_person(connection, person_id=id), "seats": posts_of(connection, person_id=id), "account": account, "held": held_by(connection, id),
            "cards": [(row, *certificates.state_of(row, on=today())) for row in certificates.certificates_of(connection, person_id=id)],
            "roles": _role_titles(query.roles_of(connection, person_id=id, on=today())), "ways": query.cases_by_way(connection, sitting) if sitting else [],
            "sees_all": bool(sitting and sitting.sees_everything), "deputies": query.deputies_of(connection, person_id=id, on=today()),
            "history": query.history(connection, person_id=id), "units": units_below(connection), "posts": people.posts_offered(connection), "near": near(connection),
            "sessions": sessions.sessions_of(connection, account_id=account.id, at=now()) if account else [],
        }
    return render_template(
        "admin/person.html", may=ADMIN in actor().rights, secures=SECURITY in actor().rights, key=new_key(), today=today(), now=now(), message=message, errors=errors or {}, failed=failed, sent=request.form if failed else {},
        password=password, stale=bool({ADMIN, SECURITY} & actor().rights) and is_stale(), card_kinds=certificates.KINDS, right_list=RIGHTS, right_words=query.right_words(account.rights) if account else [], **values,
    )


def _role_titles(names: Any) -> list[tuple[str, list[str]]]:
    """Roles by pack: (title of the pack, titles of the roles)."""
    found: dict[str, list[str]] = {}
    packs = application().catalogue.packs
    for name in sorted(names):
        pack, _, bare = name.partition(".")
        role = packs[pack].roles.get(name) if pack in packs else None
        found.setdefault(packs[pack].title if pack in packs else "自设角色", []).append(role.title if role else bare)
    return sorted(found.items())


@blueprint.post("/admin/organisation/people/<person_id>/<any(rename, seat, unseat, transfer, leave, certificate, stop_certificate):what>")
def change(person_id: str, what: str) -> ResponseReturnValue:
    require_right(ADMIN)
    id = identifier(person_id, "人员")
    return tried(lambda: _DO[what](id), location=url_for("admin_people.one", person_id=id), again=lambda message, errors: _one(person_id, message, errors, failed=what))


def _rename(id: Any) -> str:
    people.rename_person(application(), person_id=id, name=said("name"), **act())
    return "姓名已改。"


def _add_seat(id: Any) -> str:
    people.seat_person(application(), person_id=id, seat=_seat(), **act())
    return "已任岗位。"


def _unseat(id: Any) -> str:
    people.unseat_person(application(), post_id=chosen("post", "岗位"), last_day=day("last_day", "最后一天"), **act())
    return "岗位已结束。"


def _receiver() -> Any:
    return chosen("people", "接手人") if said("people") else None


def _transfer(id: Any) -> str:
    people.transfer_person(application(), person_id=id, seat=_seat(), to_person_id=_receiver(), **act())
    return "已调动，手上的工作都交接了。"


def _leave(id: Any) -> str:
    people.dismiss_person(application(), person_id=id, last_day=day("last_day", "最后一天"), to_person_id=_receiver(), **act())
    return "已办离职：岗位和账号都已结束，手上的工作都交接了。"


def _certificate(id: Any) -> str:
    given = act()
    given.pop("reason")
    certificates.add_certificate(application(), person_id=id, kind=said("kind"), number=said("number"), valid_from=day("from_on", "有效期起"), valid_until=day_or_none("until_on", "有效期止"), **given)
    return "证件已登记。"


def _stop_certificate(id: Any) -> str:
    certificates.stop_certificate(application(), certificate_id=chosen("certificate", "证件"), on=day("on", "停用日期"), **act())
    return "证件已停用。"


_DO = {"rename": _rename, "seat": _add_seat, "unseat": _unseat, "transfer": _transfer, "leave": _leave, "certificate": _certificate, "stop_certificate": _stop_certificate}


@blueprint.post("/admin/organisation/people/<person_id>/account/<any(open, reset, lock, unlock, end, restore, sign_out):what>")
@sensitive
def account(person_id: str, what: str) -> ResponseReturnValue:
    """A new first password is shown on the answer itself, once, and never stored."""
    require_right(SECURITY if SECURITY in actor().rights else ADMIN)
    id, shown = identifier(person_id, "人员"), []

    def do() -> str:
        if what == "open":
            given = act()
            given.pop("reason")
            shown.append(accounts.open_account(application(), person_id=id, login=said("login"), **given))
        elif what == "reset":
            shown.append(accounts.reset_account(application(), person_id=id, **act()))
        elif what in ("lock", "unlock"):
            accounts.lock_account(application(), person_id=id, locked=what == "lock", **act())
        elif what in ("end", "restore"):
            accounts.end_account(application(), person_id=id, ended=what == "end", **act())
        else:
            _sign_out(id)
        return {"lock": "账号已锁定，已退出全部登录。", "unlock": "账号已解锁。", "end": "账号已停用。", "restore": "账号已恢复。", "sign_out": "已退出他的全部登录。"}.get(what, "")

    answer = tried(do, location=url_for("admin_people.one", person_id=id), again=lambda message, errors: _one(person_id, message, errors))
    return _one(person_id, password=shown[0] or "（刚才那次已经办好，密码只显示一次；没有记下就再重置一次）") if shown else answer


def _sign_out(id: Any) -> None:
    def do(connection: Any) -> Done:
        row = accounts.account_of(connection, person_id=id)
        ended = people.end_sessions_of(connection, account_id=row.id) if row else 0
        return Done(text=f"退出{get_person(connection, person_id=id).name}的 {ended} 处登录", person_id=id)

    perform(application(), right=ADMIN, verb="sign_out", do=do, why_required=True, **act())


@blueprint.post("/admin/organisation/people/<person_id>/rights")
@sensitive
def rights(person_id: str) -> ResponseReturnValue:
    require_right(SECURITY)
    id = identifier(person_id, "人员")

    def do() -> str:
        wanted = request.form.getlist("rights")
        if grave_acts.ask_for_rights(application(), actor=actor(), person_id=id, rights=wanted, reason=said("reason"), at=now()):
            return "已申请，等另一位安全管理员或安全审计员核准以后才给。"
        accounts.give_rights(application(), person_id=id, rights=wanted, **act())
        return "权限已改，马上生效。"

    return tried(do, location=url_for("admin_people.one", person_id=id), again=lambda message, errors: _one(person_id, message, errors))
