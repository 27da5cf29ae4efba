"""A person outside the offices with a browser of the parties' side."""
from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine.access import party_accounts
from engine.access.party_accounts import NewAccount
from engine.access.passwords import hash_password
from engine.web.flask_app import create_flask
from engine.web.party_guard import COOKIE

PASSWORD = "Guicheng-2026"


class Outsider:
    """Signed in with ``identifier``; nobody when it is empty."""

    def __init__(self, app: Any, *, name: str = "", identifier: str = "", kind: str = "id_card", flask: Any = None) -> None:
        self.app, self.client = app, (flask or create_flask(app)).test_client()
        self.account_id: UUID | None = None
        if identifier:
            new = NewAccount(name=name, identifier_kind=kind, identifier=identifier, phone="13800138000", password_hash=hash_password(PASSWORD))
            with app.db.begin() as connection:
                self.account_id = party_accounts.sign_up(connection, app.keys, new=new, checked_by="测试", check_number="1", at=app.clock.now())
            self.enter()

    client: FlaskClient

    def enter(self) -> None:
        """A session of its own; the client's clock has moved."""
        assert self.account_id is not None
        with self.app.db.begin() as connection:
            token = party_accounts.open_session(connection, account_id=self.account_id, at=self.app.clock.now())
        self.client.set_cookie(COOKIE, token)

    def get(self, path: str) -> TestResponse:
        return self.client.get(path)

    def post(self, path: str, page: str = "/party/code", **data: Any) -> TestResponse:
        """Post with the token of ``page``."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.client.get(page).text)
        return self.client.post(path, data={"csrf": found.group(1) if found else "", **data}, content_type="multipart/form-data")

    def act(self, step: str, outcome: str, **answers: str) -> TestResponse:
        """Hand in the step at ``/party/tasks/…``."""
        form_hash = re.search(r'name="form_hash" value="([^"]+)"', self.get(step).text)
        fields = {f"data.{name}": value for name, value in answers.items()}
        return self.post(f"{step}/complete", page=step, outcome=outcome, key=f"party-{step[-12:]}-{outcome}", form_hash=form_hash.group(1) if form_hash else "", **fields)

    def links(self, start: str = "/party") -> list[str]:
        """Addresses on a page."""
        return re.findall(r'href="(/party/[a-z]+/[^"]+)"', self.get(start).text)
