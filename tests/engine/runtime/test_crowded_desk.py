"""A desk on which very many tasks lie is read by walking indexes: the same rows, order, pages and counts, and few rows touched."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, insert, select, text

from engine.kernel.ids import new_id
from engine.reference import calendars
from engine.runtime.queries import desk
from engine.storage.database import for_reading
from engine.storage.tables.cases import case_clock, case_file
from engine.storage.tables.runtime import deputy, instance, task, task_candidate
from tests.engine.runtime.walk import open_task, start_clue
from tests.town import Town

TODAY = date(2026, 11, 20)
SOON = TODAY + timedelta(days=5)


def copy(connection: Connection, table: Any, id: Any, **changed: Any) -> Any:
    """A further row like that with ``id``."""
    row = dict(connection.execute(select(table).where(table.c.id == id)).mappings().one())
    row = {name: value for name, value in row.items() if table.c[name].computed is None} | {"id": new_id()} | changed
    connection.execute(insert(table).values(row))
    return row["id"]


def fill(town: Town, count: int) -> None:
    """Tasks of the officer, of the officer's pool, of others, and of one whose deputy the officer is; days of their own, of clocks, of neither."""
    start_clue(town)
    one, chance, officer = open_task(town, "verify"), Random(7), town.actor("officer")
    with town.app.db.begin() as connection:
        head = town.people["head"]
        connection.execute(insert(deputy).values(id=new_id(), person_id=head, deputy_id=officer.person_id, from_on=TODAY, until_on=TODAY, processes=[], created_at=town.app.clock.now()))
        for number in range(count):
            case = copy(connection, case_file, one["case_id"], number=None, title=f"第 {number} 件")
            process = copy(connection, instance, one["instance_id"], case_id=case, process=chance.choice(["case_filing.clue_intake", "case_filing.other"]))
            holder = chance.choice([officer.person_id, officer.person_id, None, None, head, town.people["staff"]])
            due = chance.choice([None, None, TODAY + timedelta(days=chance.randrange(-3, 12))])
            made = copy(connection, task, one["id"], case_id=case, instance_id=process, engine_id=str(number), assignee_id=holder, due_on=due,
                        title=chance.choice(["核查", "审核"]), from_name=chance.choice(["甲", "乙"]))
            if holder is None:
                unit, post = officer.posts[0]
                connection.execute(insert(task_candidate).values(task_id=made, unit_id=unit, post=post, open=True))
            for _ in range(chance.choice([0, 0, 1, 2])):
                connection.execute(insert(case_clock).values(
                    id=new_id(), case_id=case, clock=f"case_filing.{new_id()}", title="期限", day_kind="day", amount=1, start_on=TODAY, updated_at=town.app.clock.now(),
                    due_on=TODAY + timedelta(days=chance.randrange(-3, 12)), state=chance.choice(["running", "running", "suspended"]), rule={},
                ))


@pytest.fixture
def connection(town: Town) -> Iterator[Connection]:
    fill(town, 60)
    with for_reading(town.app.db).connect() as connection:
        yield connection


def seen(town: Town, connection: Connection, filters: desk.Filters, due: str) -> tuple[desk.Inbox, list[Any]]:
    """The counts, and every row of every page with where it stands."""
    actor, calendar = town.actor("officer"), calendars.load(connection)
    inbox = desk.inbox(connection, actor=actor, today=TODAY, soon_until=SOON, filters=filters)
    rows: list[Any] = []
    after = None
    while True:
        page = desk.waiting(connection, actor=actor, today=TODAY, soon_until=SOON, filters=filters, due=due, calendar=calendar, total=0, size=7, after=after,
                            crowded=inbox.crowded)
        rows += [(row.task_id, row.due_on, row.bucket, row.pool, row.principal, row.light) for row in page.rows]
        after = page.next
        if after is None:
            return inbox, rows


def test_a_crowded_desk_shows_what_any_desk_shows(town: Town, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    for filters in (desk.Filters(), desk.Filters(process="case_filing.other"), desk.Filters(node="审核", sender="乙")):
        for due in desk.BUCKETS:
            monkeypatch.setattr(desk, "MANY", 1_000)
            few, rows = seen(town, connection, filters, due)
            monkeypatch.setattr(desk, "MANY", 2)
            many, walked = seen(town, connection, filters, due)
            assert (few.crowded, many.crowded) == (False, True)
            assert walked == rows and many.figures == few.figures, (filters, due)
            assert {option.value for option in many.node} == {option.value for option in few.node}
    assert {row[3] for row in seen(town, connection, desk.Filters(), "all")[1]} == {True, False}


def test_a_page_of_it_touches_few_rows(town: Town, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "MANY", 2)
    with town.app.db.begin() as writing:
        officer = town.actor("officer").person_id
        names = ", ".join(f'"{column.name}"' for column in task.c if column.computed is None)
        chosen = names.replace('"id"', "gen_random_uuid()", 1).replace('"engine_id"', "'many' || g", 1).replace('"due_on"', "CASE WHEN g % 2 = 0 THEN DATE '2026-11-01' + g % 90 END", 1)
        mine = f"SELECT * FROM task WHERE assignee_id = '{officer}' AND status = 'open' AND case_id NOT IN (SELECT case_id FROM case_clock) LIMIT 1"
        writing.execute(text("DELETE FROM deputy"))  # the copies share one instance, which only a deputy's walk minds
        writing.execute(text(f"INSERT INTO task ({names}) SELECT {chosen} FROM ({mine}) t, generate_series(1, 4000) g"))
    with town.app.db.connect().execution_options(isolation_level="AUTOCOMMIT") as writing:
        writing.execute(text("VACUUM ANALYZE task, case_clock"))
    sent: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, values: Any, *rest: Any) -> None:
        sent.append((statement, values))

    event.listen(connection, "before_cursor_execute", note)
    actor = town.actor("officer")
    inbox = desk.inbox(connection, actor=actor, today=TODAY, soon_until=SOON, filters=desk.Filters())
    desk.waiting(connection, actor=actor, today=TODAY, soon_until=SOON, filters=desk.Filters(), due="all", calendar=calendars.load(connection), total=0, crowded=inbox.crowded)
    statement, values = next((one, given) for one, given in sent if "FETCH FIRST" in one)
    driver: Any = connection.connection.dbapi_connection
    [[plan]] = psycopg.RawCursor(driver).execute("EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) " + statement, values).fetchall()
    assert inbox.figures.all > 4000
    assert most_rows(plan[0]["Plan"]) < (400, "")


def most_rows(plan: dict[str, Any]) -> tuple[float, str]:
    """The most rows that one node of the plan read, and what it was."""
    own = plan["Actual Rows"] * plan["Actual Loops"] + plan.get("Rows Removed by Filter", 0) * plan["Actual Loops"]
    said = " ".join(str(plan.get(name, "")) for name in ("Node Type", "Index Name", "Relation Name", "Alias", "Index Cond", "Filter"))
    return max([(own, said), *(most_rows(inner) for inner in plan.get("Plans", ()))])
