"""登录管理: the dated rules of signing in, who is signed in where, and what an administrator does for somebody who can't get in."""
from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from engine.access import actors, alarms, passwords, second_factor, sessions, sign_in_bounds
from engine.access.actors import RIGHTS
from engine.access.sign_in_policy import LIMITS, WHEN_FULL, apply, check_changes, listed, set_policy
from engine.kernel.errors import Forbidden, Invalid, NotFound
from engine.web import entering
from engine.web.answers import done
from engine.web.confirm import sensitive
from engine.web.context import actor, now, reading, today, writing

blueprint = Blueprint("admin_sign_in", __name__)
HELPS = {"unlock": ("解除锁定", "已解除锁定。"), "second": ("停用动态口令", "动态口令已停用，本人下次登录后重新启用。"), "sessions": ("结束全部登录", "全部登录已结束。")}


@blueprint.get("/admin/sign-in")
def page() -> ResponseReturnValue:
    return _page()


@blueprint.post("/admin/sign-in/rules")
@sensitive
def add() -> ResponseReturnValue:
    """A rule from a day on; only the security administrator sets it."""
    actor().require(alarms.SECURITY)
    try:
        changes = _changes()
        _stay_inside(changes)
        with writing() as connection:
            set_policy(
                connection, changes=changes, valid_from=_day(), reason=request.form.get("reason", ""), by_name=actor().name, by_id=actor().person_id, at=now(), on=today(),
            )
            entering.note(connection, actor=actor(), action="改登录规定", detail={"from": request.form.get("valid_from", ""), "changes": changes})
    except Invalid as error:
        return _page(errors=error.fields or {"rules": error.message}), 422
    return done(url_for("admin_sign_in.page"), "登录规定已保存，到那一天起对新的登录生效。")


@blueprint.post("/admin/sign-in/sessions/<token_hash>/end")
def end(token_hash: str) -> ResponseReturnValue:
    _require()
    try:
        wanted = bytes.fromhex(token_hash)
    except ValueError:
        raise NotFound("这个会话已经结束。") from None
    with writing() as connection:
        ended = sessions.end_session(connection, token_hash=wanted)
        if ended is None:
            raise NotFound("这个会话已经结束。")
        entering.note(connection, actor=actor(), action="结束他人会话", detail={"account": str(ended)})
    return done(url_for("admin_sign_in.page"), "那一处已经退出。")


@blueprint.post("/admin/sign-in/help")
@sensitive
def help_in() -> ResponseReturnValue:
    """Unlock, take a lost second factor away, or end all sessions of a login."""
    _require()
    what, login = request.form.get("what", ""), request.form.get("login", "").replace("\0", "").strip().lower()[:200]
    if what not in HELPS:
        raise Invalid("请选择要做什么。")
    with writing() as connection:
        found = actors.find_actor_by_login(connection, login=login, on=today())
        if found is None:
            return _page(errors={"login": "没有这个账号，或它没有在用的岗位。"}), 422
        _help(connection, found, what)
        entering.note(connection, actor=actor(), action=HELPS[what][0], detail={"account": str(found.account_id), "name": found.name})
    return done(url_for("admin_sign_in.page"), HELPS[what][1])


def _help(connection: Connection, found: actors.Actor, what: str) -> None:
    if what == "unlock":
        passwords.unlock(connection, account_id=found.account_id)
        return
    if what == "second":
        second_factor.remove(connection, account_id=found.account_id)
    sessions.close_other_sessions(connection, account_id=found.account_id)


def _require() -> None:
    if not {"admin", alarms.SECURITY} & actor().rights:
        raise Forbidden("您没有“系统管理”或“安全管理”的权限，请联系管理员。")


def _changes() -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, (_, _, title) in LIMITS.items():
        text = request.form.get(name, "").strip()
        if not text.isascii() or not text.isdigit() or len(text) > 6:
            raise Invalid("登录规定没有保存，请改好标出的地方。", fields={name: f"“{title}”应为整数。"})
        given[name] = int(text)
    return {
        **given, **{name: request.form.get(name, "").replace(",", " ").split()[:100] for name in ("networks", "guard_networks")},
        "hours": request.form.get("hours", "").strip()[:20], "hours_free": sorted(set(request.form.getlist("hours_free"))), "when_full": request.form.get("when_full", ""), "bind_network": "bind_network" in request.form, "second_rights": sorted(set(request.form.getlist("second_rights"))),
    }


def _stay_inside(changes: dict[str, Any]) -> None:
    """Raise Invalid when a rule would keep out whoever sets it, as far as addresses go."""
    wanted = apply(entering.policy(), {**check_changes(changes), "hours": ""})
    if sign_in_bounds.refusal(wanted, network=entering.network(), at=now(), rights=actor().rights):
        here = f"您现在的地址 {entering.network()} 不在这些范围里，这样您自己也登录不了。请加上它，或从范围里面的机器来改。"
        raise Invalid("登录规定没有保存。", fields={"guard_networks" if wanted.guard_networks else "networks": here})


def _day() -> date:
    try:
        return date.fromisoformat(request.form.get("valid_from", ""))
    except ValueError:
        raise Invalid("登录规定没有保存。", fields={"valid_from": "请写明从哪一天起。"}) from None


def _page(*, errors: dict[str, str] | None = None) -> str:
    _require()
    text = request.args.get("q", "").replace("\0", "")[:60]
    with reading() as connection:
        values = {"rows": sessions.sessions_everywhere(connection, at=now(), text=text), "rules": listed(connection)}
    return render_template(
        "admin/sign_in.html", **values, text=text, policy=entering.policy(), limits=LIMITS, when_full=WHEN_FULL, rights=RIGHTS, ways=entering.WAYS, helps=HELPS,
        errors=errors or {}, may_set=alarms.SECURITY in actor().rights, this_session=g.session_hash,
    )

