"""The database goes away for a moment: between requests nobody notices, within one it is said, and sent again it happens once."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text

from tests.browser import Browser
from tests.engine.web.api.caller import Caller
from tests.engine.web.api.test_api_once import START, count_cases
from tests.town import Town

OTHERS = text("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")


def end_every_connection(town: Town) -> None:
    """As a restart of the server or the change to its stand-by does."""
    with town.app.db.connect() as connection:
        connection.execute(OTHERS)
        connection.execute(text("COMMIT"))
        connection.invalidate()
        connection.close()


@pytest.mark.requirement("NFM-072")
def test_ended_connections_are_replaced_and_an_interrupted_act_happens_once(caller: Callable[[str], Caller], town: Town) -> None:
    browser, officer = Browser(town.app, "officer"), caller("officer")
    assert browser.get("/cases").status_code == 200
    for _ in range(3):
        end_every_connection(town)
        assert browser.get("/cases").status_code == 200
    end_every_connection(town)
    first = officer.act("/cases", START, key="after-a-restart", status=201)
    assert officer.act("/cases", START, key="after-a-restart", status=201) == {**first, "replayed": True}

    event.listen(town.app.db, "commit", end_the_very_connection)
    refused = officer.act("/cases", START, key="in-the-middle", status=503)
    event.remove(town.app.db, "commit", end_the_very_connection)
    assert refused["code"] == "interrupted" and count_cases(town) == 1
    made = officer.act("/cases", START, key="in-the-middle", status=201)
    assert not made["replayed"] and count_cases(town) == 2
    assert officer.act("/cases", START, key="in-the-middle", status=201)["act_id"] == made["act_id"] and count_cases(town) == 2


def end_the_very_connection(connection: Any) -> None:
    """Which is about to commit."""
    pid = connection.connection.dbapi_connection.info.backend_pid
    with connection.engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
