"""Every unsafe request carries the session's token; before login, a token that belongs to the browser's cookie."""
from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, g, request
from flask.wrappers import Response
from markupsafe import Markup

from engine.kernel.errors import Forbidden
from engine.kernel.gm import hmac_sm3
from engine.web.api.errors import below_api

View = TypeVar("View", bound=Callable[..., Any])
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
COOKIE = "guicheng_form"


def install(app: Flask) -> None:
    app.before_request(check)
    app.after_request(_remember)
    app.jinja_env.globals.update(csrf_token=csrf_token, csrf_field=csrf_field)


def exempt(view: View) -> View:
    """Mark a view that proves in its own way that the request is ours."""
    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


def csrf_token() -> str:
    """The token for this reader's forms."""
    return g.get("csrf") or _anonymous(_browser())


def csrf_field() -> Markup:
    """A hidden field with the token."""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(csrf_token())


def check() -> None:
    """Refuse an unsafe request that doesn't carry the token; below /api no cookie counts, so there is nothing to forge."""
    view = current_app.view_functions.get(request.endpoint or "")
    if request.method in SAFE or g.get("bearer") or below_api() or getattr(view, "csrf_exempt", False):
        return
    sent = request.headers.get("X-CSRF-Token") or request.form.get("csrf", "")
    wanted = g.get("csrf") or (_anonymous(request.cookies[COOKIE]) if COOKIE in request.cookies else "")
    if not wanted or not hmac.compare_digest(sent.encode(), wanted.encode()):
        raise Forbidden("这张页面已经失效，没有提交。请刷新页面后再提交一次，草稿还在。", code="csrf")


def _anonymous(browser: str) -> str:
    return hmac_sm3(current_app.config["SECRET_KEY"], b"form:" + browser.encode()).hex()


def _browser() -> str:
    if "browser" not in g:
        g.browser = request.cookies.get(COOKIE) or secrets.token_urlsafe(24)
    return str(g.browser)


def _remember(response: Response) -> Response:
    if "browser" in g and request.cookies.get(COOKIE) != g.browser:
        set_cookie(response, COOKIE, g.browser)
    return response


def set_cookie(response: Response, name: str, value: str) -> None:
    """A cookie that scripts can't read, for this application's path only."""
    response.set_cookie(
        name, value, httponly=True, samesite="Lax", secure=bool(current_app.config["SESSION_COOKIE_SECURE"]), path=current_app.config["SESSION_COOKIE_PATH"],
    )
