"""Who is signed in from outside: a cookie of its own, read on the pages below /party only; a colleague's login counts for nothing there."""
from __future__ import annotations

from typing import cast

from flask import g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from engine.access import party_accounts
from engine.access.audit import note
from engine.access.party_accounts import PartyUser
from engine.web.context import now, reading, writing

COOKIE = "guicheng_party"
BLUEPRINTS = frozenset({"party", "party_files", "party_account"})
LOGIN_REQUIRED = "登录已过期，还没有提交。请重新登录后再提交一次。"


def is_outside() -> bool:
    """True for a request of a party's page."""
    return request.blueprint in BLUEPRINTS


def identify() -> PartyUser | None:
    """The party's session behind the cookie; its form token counts for this request."""
    g.party_user = None
    token = request.cookies.get(COOKIE, "")
    if not token:
        return None
    with reading() as connection:
        found = party_accounts.resolve_session(connection, token=token, at=now())
    if found is not None and not found.belongs_to(request.user_agent.string):
        _stolen(found)
        return None
    if found is not None:
        g.party_user, g.csrf = found, found.csrf
        with writing() as connection:
            party_accounts.touch_session(connection, token_hash=found.token_hash, at=now())
    return found


def _stolen(found: PartyUser) -> None:
    """A cookie in another browser than its own: the session ends for both, and the trail says so."""
    with writing() as connection:
        party_accounts.close_session(connection, token_hash=found.token_hash)
        detail = {"account": str(found.account_id), "opened_in": found.agent, "sent_by": request.user_agent.string[:300]}
        note(connection, actor=None, at=now(), action="会话被冒用", object="当事人账号", network=request.remote_addr or "", detail=detail)


def to_login() -> ResponseReturnValue:
    """Where nobody is signed in and a page is asked for."""
    return redirect(url_for("party_account.page", next=request.path))


def party_user() -> PartyUser:
    """The person signed in; the guard has made sure that there is one."""
    return cast(PartyUser, g.party_user)
