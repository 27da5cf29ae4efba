"""Who may call a route: everyone signed in, unless its view is marked ``@public``."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from engine.access import sessions, tokens
from engine.access.audit import note
from engine.access.sign_in_policy import policy_on
from engine.kernel.errors import Forbidden, GuichengError
from engine.storage.prepared import Direct
from engine.web import party_guard
from engine.web.api.errors import below_api
from engine.web.context import application, now, reading, today, writing

View = TypeVar("View", bound=Callable[..., Any])
COOKIE = "guicheng"
# Reachable while a first password is still to be changed.
FIRST_STEPS = frozenset({"me.password", "me.change_password", "login.sign_out", "login.again", "notices.badge"})
# Reachable while a second factor is still to be set up.
SECOND_STEPS = frozenset({"two_steps.page", "two_steps.begin", "two_steps.confirm", "confirm.page", "confirm.prove"})


class LoginRequired(GuichengError):
    """Nobody is signed in, or the session has ended."""

    status = 401
    code = "login_required"


def public(view: View) -> View:
    """Mark a view that needs no login."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def is_public(app: Flask, endpoint: str | None) -> bool:
    """True for static files, for addresses that lead nowhere, and for views marked ``@public``."""
    if endpoint is None or endpoint == "static" or endpoint.endswith(".static"):
        return True
    return bool(getattr(app.view_functions[endpoint], "is_public", False))


def install(app: Flask) -> None:
    app.before_request(identify)


def identify() -> ResponseReturnValue | None:
    """Find out who sends the request; refuse when nobody does and the route needs somebody."""
    g.actor, g.csrf, g.session_hash, g.bearer, g.needs, g.confirmed_at = None, "", None, False, "", None
    if request.endpoint == "static":
        return None
    if party_guard.is_outside():
        return _identify_party()
    if _bearer():
        _by_token()
    elif not below_api():  # programs bring a token; a browser's cookie counts for pages only
        _by_cookie()
    if g.actor is None:
        return None if is_public(current_app, request.endpoint) else _refuse()
    if is_public(current_app, request.endpoint):
        return None
    if g.actor.must_change and request.endpoint not in FIRST_STEPS:
        return _change_first()
    if g.needs and request.endpoint not in FIRST_STEPS | SECOND_STEPS:
        return _second_first()
    return None


def _identify_party() -> ResponseReturnValue | None:
    if party_guard.identify() is not None or is_public(current_app, request.endpoint):
        return None
    if request.method in ("GET", "HEAD") and wants_page():
        return party_guard.to_login()
    raise LoginRequired(party_guard.LOGIN_REQUIRED)


def _bearer() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _by_cookie() -> None:
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    with Direct(application().db) as connection:
        found = sessions.resolve_session(connection, token=token, at=now())
    if found is None:
        return None
    if not found.belongs_to(agent=request.user_agent.string) or not _same_network(found):
        return _stolen(found)
    if found.stale and request.endpoint != "notices.badge":
        with writing() as connection:
            sessions.touch_session(connection, token_hash=found.token_hash, at=now())
    g.actor, g.csrf, g.session_hash, g.needs, g.confirmed_at = found.actor, found.csrf, found.token_hash, found.needs, found.confirmed_at


def _same_network(found: sessions.ResolvedSession) -> bool:
    """Does the request come from where the session was opened? Asked only where the policy binds sessions to addresses."""
    here = request.remote_addr or ""
    if not found.network or found.network == here:
        return True
    with reading() as connection:
        return not policy_on(connection, on=today(), environment=application().settings.environment).bind_network


def _stolen(found: sessions.ResolvedSession) -> None:
    """A cookie in another browser than its own: the session ends for both, and the trail says so."""
    with writing() as connection:
        sessions.end_session(connection, token_hash=found.token_hash)
        note(
            connection, actor=found.actor, at=now(), action="会话被冒用", object="账号", network=request.remote_addr or "",
            detail={"opened_in": found.agent, "opened_at": found.network, "sent_by": request.user_agent.string[:300]},
        )


def _by_token() -> None:
    token = _bearer()
    with writing() as connection:
        found = tokens.resolve_token(connection, token=token, at=now())
        if found is not None:
            g.token_calls = tokens.touch_token(connection, token=token, at=now())
    if found is None and not is_public(current_app, request.endpoint):
        raise LoginRequired("接口令牌无效、已停用或已到期，请换一个令牌。", code="bad_token")
    g.actor, g.bearer = found, found is not None


def _refuse() -> ResponseReturnValue:
    if below_api():
        raise LoginRequired("请在请求头 Authorization 里带上接口令牌：Bearer 加空格加令牌。令牌在“我的—接口令牌”里生成。", code="token_required")
    if request.method in ("GET", "HEAD") and wants_page():
        wanted = request.full_path.rstrip("?") if request.query_string else request.path
        return redirect(url_for("login.page", next=wanted if wanted != "/" else None))
    raise LoginRequired("登录已过期，还没有提交。重新登录后再提交一次，填过的内容都在。")


def _second_first() -> ResponseReturnValue:
    if wants_page():
        return redirect(url_for("two_steps.page"))
    raise Forbidden("您的权限要求启用动态口令，请先启用，再继续办理。", code="second_factor_first")


def _change_first() -> ResponseReturnValue:
    if wants_page():
        return redirect(url_for("me.password"))
    raise Forbidden("请先把初始密码改掉，再继续办理。", code="change_password_first")


def wants_page() -> bool:
    """True when a person's browser asks for a whole page, not a script or a program."""
    return not (request.headers.get("HX-Request") or request.headers.get("X-Guicheng-Fetch") or g.bearer or request.path.startswith("/api/"))
