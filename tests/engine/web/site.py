"""A site with the walks' bureau behind it, and a browser without a screen."""
from __future__ import annotations

import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from engine.access.passwords import hash_password
from engine.runtime.application import Application
from engine.storage.tables.organisation import account
from engine.web.flask_app import create_flask
from tests.packs.walk import Bureau, Walker, found_bureau

PASSWORD = "Zoushi-2026"


class Site:
    """The Flask application, the people, and one client that keeps cookies."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.bureau: Bureau = found_bureau(app, app.clock.now())
        self.flask: Flask = create_flask(app)
        self.client: FlaskClient = self.flask.test_client()
        with app.db.begin() as connection:
            connection.execute(update(account).values(password_hash=hash_password(PASSWORD)))
            connection.execute(update(account).where(account.c.login == "agency_head").values(rights=["analyst", "operator"]))

    def walker(self) -> Walker:
        return Walker(self.app, self.bureau)

    def sign_in(self, login: str, password: str = PASSWORD) -> Any:
        self.client = self.flask.test_client()
        return self.post("/login", page="/login", login=login, password=password)

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, **more)

    def token(self, page: str) -> str:
        found = re.search(r'name="csrf" (?:value|content)="([^"]+)"', self.get(page).text)
        assert found is not None, page
        return found[1]

    def post(self, path: str, *, page: str = "/desk", fetch: bool = False, **form: Any) -> Any:
        headers = {"X-Guicheng-Fetch": "1"} if fetch else {}
        return self.client.post(path, data={"csrf": self.token(page), **form}, headers=headers)
