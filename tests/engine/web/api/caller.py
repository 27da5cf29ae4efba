"""A program that calls the API with somebody's token."""
from __future__ import annotations

import itertools
from typing import Any

from flask import Flask
from sqlalchemy import update

from engine.access.tokens import create_token
from engine.storage.tables.organisation import account
from tests.town import Town

_keys = itertools.count(1)


class Caller:
    """Speaks for ``login``. Every act gets a fresh key unless one is given."""

    def __init__(self, flask: Flask, town: Town, login: str) -> None:
        self.client = flask.test_client()
        actor = town.actor(login)
        with town.app.db.begin() as connection:
            _, token = create_token(connection, account_id=actor.account_id, post_id=actor.post_id, title="测试", days=30, at=town.app.clock.now())
        self.token = token

    def send(self, method: str, path: str, *, key: str | None = None, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", **({"Idempotency-Key": key} if key else {}), **more.pop("headers", {})}
        return self.client.open(f"/api{path}", method=method, headers=headers, **more)

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        answer = self.send("GET", path, query_string=query)
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def act(self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None, status: int = 200) -> Any:
        answer = self.send("POST", path, key=key or f"test-key-{next(_keys)}", **({"json": body} if body is not None else {}))
        assert answer.status_code == status, answer.text
        return answer.get_json()


def give_right(town: Town, login: str, right: str) -> None:
    with town.app.db.begin() as connection:
        connection.execute(update(account).where(account.c.login == login).values(rights=[right]))
