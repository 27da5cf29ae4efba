"""What waits for the next page in the browser's own keeping: the messages of ``flash``, in a cookie that carries its seal.

Flask's own session does the same with a key derived and a compressor tried for every request, which costs a tenth of an act.
Whoever changes the cookie loses its notes, nothing else hangs on it.
"""
from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from time import time
from typing import Any

import orjson
from flask import Flask
from flask.sessions import SecureCookieSession, SessionInterface
from flask.wrappers import Request, Response

from engine.kernel.gm import hmac_sm3

SEAL = 32


class Notes(SessionInterface):
    """The notes of one browser, sealed with the application's key; older ones than the session lasts are dropped."""

    def __init__(self, app: Flask) -> None:
        self._key = str(app.config["SECRET_KEY"]).encode()
        self._longest = app.permanent_session_lifetime.total_seconds()
        secure = "; Secure" if self.get_cookie_secure(app) else ""
        self._name, path = self.get_cookie_name(app), self.get_cookie_path(app)
        self._behind = f"{secure}; HttpOnly; Path={path}; SameSite={self.get_cookie_samesite(app)}"
        self._gone = f"{self._name}=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0{self._behind}"

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        """What the cookie holds; nothing when its seal isn't ours or it is too old."""
        sent = request.cookies.get(self._name)
        return SecureCookieSession(self._read(sent) if sent else None)

    def save_session(self, app: Flask, session: Any, response: Response) -> None:
        """Give the browser what changed."""
        if session.accessed:
            response.vary.add("Cookie")
        if not session.modified:
            return
        response.headers.add("Set-Cookie", f"{self._name}={self._written(dict(session))}{self._behind}" if session else self._gone)

    def _written(self, held: dict[str, Any]) -> str:
        body = orjson.dumps([int(time()), held])
        return urlsafe_b64encode(self._seal(body) + body).decode().rstrip("=")

    def _read(self, sent: str) -> dict[str, Any]:
        try:
            whole = urlsafe_b64decode(sent + "=" * (-len(sent) % 4))
            seal, body = whole[:SEAL], whole[SEAL:]
            if not hmac.compare_digest(seal, self._seal(body)):
                return {}
            at, held = orjson.loads(body)
        except ValueError:
            return {}
        return held if time() - at < self._longest and isinstance(held, dict) else {}

    def _seal(self, body: bytes) -> bytes:
        return hmac_sm3(self._key, b"notes:" + body)
