"""A signed-in browser without a network: the real Flask application, a real session cookie, the real form token."""
from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine.access.sessions import open_session
from engine.storage.tables.organisation import account
from engine.web.flask_app import create_flask
from engine.web.guard import COOKIE


class Browser:
    """``login`` is an account of the application's database; no password is asked."""

    def __init__(self, app: Any, login: str, *, flask: Any = None) -> None:
        self.client: FlaskClient = (flask or create_flask(app)).test_client()
        with app.db.begin() as connection:
            account_id = connection.scalar(select(account.c.id).where(account.c.login == login))
            assert account_id is not None, login
            opened = open_session(connection, account_id=account_id, post_id=None, agent="test", at=app.clock.now())
        self.client.set_cookie(COOKIE, opened.token)
        self.csrf = opened.csrf

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        """Post ``data`` with the form's token, as the page would."""
        return self.client.post(path, data={"csrf": self.csrf, **(data or {})}, **more)
