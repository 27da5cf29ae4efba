"""What the bench deploys for its run, and how it fills an inbox. Nothing of it stays."""
from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from scratch import Scratch

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:gc="urn:guicheng:bpmn:1" id="drawing" targetNamespace="urn:guicheng:borrow_umbrella">
  <bpmn:process id="borrow_umbrella" name="三步审批" isExecutable="true"><bpmn:extensionElements>
    <gc:fact name="outcome" type="text" title="结论"/></bpmn:extensionElements><bpmn:startEvent id="start"/><bpmn:endEvent id="end"/>"""
FORM = {
    "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "申请单", "type": "object",
    "properties": {
        "place": {"type": "string", "title": "去哪里", "maxLength": 50, "x-gc": {"case": "title"}},
        "days": {"type": "integer", "title": "几天", "minimum": 1, "maximum": 30},
    },
    "required": ["place", "days"],
}


def step(id: str, *outcomes: str) -> str:
    buttons = "".join(f'<gc:outcome value="{value}" title="{value}"/>' for value in outcomes)
    return (f'<bpmn:userTask id="{id}" name="{id}" gc:form="bench_request" gc:role="borrower"><bpmn:extensionElements>{buttons}'
            "</bpmn:extensionElements></bpmn:userTask>")


def flow(id: str, source: str, target: str, condition: str = "") -> str:
    inside = f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>" if condition else ""
    return f'<bpmn:sequenceFlow id="{id}" sourceRef="{source}" targetRef="{target}">{inside}</bpmn:sequenceFlow>'


def approval() -> bytes:
    """Asked, then three steps one after the other."""
    names = ["start", "ask", "first", "second", "third", "end"]
    nodes = "".join(step(name, "ok") for name in names[1:-1])
    flows = "".join(flow(f"f{number}", *pair) for number, pair in enumerate(pairwise(names)))
    return (HEAD + nodes + flows + "</bpmn:process></bpmn:definitions>").encode()


def circle() -> bytes:
    """One step that comes again until somebody has enough."""
    nodes = step("ask", "ok") + step("turn", "again", "ok") + '<bpmn:exclusiveGateway id="enough" default="done"/>'
    flows = flow("a", "start", "ask") + flow("b", "ask", "turn") + flow("c", "turn", "enough") + flow("d", "enough", "turn", 'outcome = "again"') + flow("done", "enough", "end")
    return (HEAD + nodes + flows + "</bpmn:process></bpmn:definitions>").encode()


def deploy(platform: Scratch, content: bytes) -> None:
    """Put form and diagram into force in the running platform, as an analyst does."""
    from engine.access.actors import find_actor_by_login
    from engine.assembly import create_application
    from engine.kernel.settings import Settings
    from engine.runtime.deploy_file import deploy_file

    app = create_application(Settings(database_url=platform.database, data_dir=Path(platform.environment["GUICHENG_DATA"])))
    with app.db.connect() as connection:
        analyst = find_actor_by_login(connection, login="sheji", on=app.clock.today())
    assert analyst is not None
    for name, text in (("bench_request.json", json.dumps(FORM).encode()), ("borrow_umbrella.bpmn", content)):
        deploy_file(app, actor=analyst, pack="borrow_umbrella", filename=name, content=text, note="量", at=datetime.now(UTC))
    app.db.dispose()


OWN_SHARE = 200


def fill_inbox(platform: Scratch, wanted: int) -> None:
    """Copies of one case with its open step: ``OWN_SHARE`` stay in the reader's hands, the others lie with everybody else."""
    def copied(table: str, changed: str, source: str) -> str:
        rows = connection.execute("SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'", [table])
        names = ", ".join(f'"{name}"' for (name,) in rows)
        return (f"INSERT INTO {table} ({names}) SELECT {names} FROM (SELECT (jsonb_populate_record(o, jsonb_build_object({changed}))).*"
                f" FROM {table} o, made WHERE o.id = {source}) copy")
    with platform.connect() as connection:
        row = connection.execute("SELECT id, instance_id, case_id FROM task WHERE status = 'open' AND node = 'turn' LIMIT 1").fetchone()
        assert row is not None
        task, instance, case = (f"'{value}'" for value in row)
        connection.execute("ALTER TABLE case_file DISABLE TRIGGER new_case_words")  # the search box's index has no part in the inbox and takes minutes to fill
        connection.execute(f"CREATE TEMP TABLE made AS SELECT n, gen_random_uuid() AS k, gen_random_uuid() AS i, gen_random_uuid() AS t FROM generate_series(1, {wanted}) n")
        connection.execute(copied("case_file", "'id', made.k, 'number', null, 'title', '第 ' || made.n || ' 件'", case))
        connection.execute(copied("instance", "'id', made.i, 'case_id', made.k", instance))
        connection.execute(copied("task", "'id', made.t, 'instance_id', made.i, 'case_id', made.k, 'opened_at', now() - made.n * interval '1 second'", task))
        connection.execute("CREATE TEMP TABLE other AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM person WHERE id <> (SELECT assignee_id FROM task WHERE id = %s)", [row[0]])
        connection.execute("UPDATE task SET assignee_id = o.id FROM made JOIN other o ON o.place = made.n %% (SELECT count(*) FROM other)"
                           " WHERE task.id = made.t AND made.n > %s", [OWN_SHARE])
        for name in ("case_file", "instance", "task"):
            connection.execute(f"VACUUM ANALYZE {name}")


def give_all(platform: Scratch) -> None:
    """All open tasks to the reader; half of them due on one of a hundred days."""
    with platform.connect() as connection:
        connection.execute("UPDATE task SET assignee_id = (SELECT t.assignee_id FROM task t WHERE t.node = 'turn' AND t.status = 'done' LIMIT 1),"
                           " due_on = CASE WHEN random() < 0.5 THEN current_date - 10 + (random() * 100)::int END WHERE status = 'open' AND node = 'turn'")
        connection.execute("VACUUM ANALYZE task")
