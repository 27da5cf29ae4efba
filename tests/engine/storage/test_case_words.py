"""The words of a case follow the case; an act that only moves it in time writes none of their indexes."""
from __future__ import annotations

from uuid import uuid4

from sqlalchemy import Connection, text

MAKE = """
INSERT INTO case_file (id, kind, title, state, state_title, unit_id, created_at, updated_at)
VALUES (:id, 'a.b', 'ＡＢ 店招', 's', 's', (SELECT id FROM unit LIMIT 1), now(), now())
"""


def test_words_follow_the_text_of_a_case_and_not_its_time(connection: Connection) -> None:
    unit, case = uuid4(), uuid4()
    columns, values = "id, bureau, kind, code, name, short_name, path, updated_at", ":id, 'b', 'bureau', 'u', 'u', 'u', 'u/', now()"
    connection.execute(text(f"INSERT INTO unit ({columns}) VALUES ({values})"), {"id": unit})
    connection.execute(text(MAKE), {"id": case})
    where = text("SELECT finder, ctid::text FROM case_words WHERE case_id = :id")
    made = connection.execute(where, {"id": case}).one()
    connection.execute(text("UPDATE case_file SET updated_at = now() + interval '1 day' WHERE id = :id"), {"id": case})
    assert connection.execute(where, {"id": case}).one() == made
    assert "ab 店招" in made.finder
    connection.execute(text("UPDATE case_file SET number = 'Ｎ-7' WHERE id = :id"), {"id": case})
    assert connection.execute(where, {"id": case}).scalar_one().startswith("n-7 ab")
