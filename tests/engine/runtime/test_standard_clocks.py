"""A diagram may start the clock of a case linked with its own, and of no other."""
from __future__ import annotations

from typing import Any

import pytest

from engine.deadlines.clocks import By, end_clock
from engine.kernel.errors import BusinessError
from engine.kernel.ids import new_id
from engine.runtime.standard.clocks import start_clock
from engine.runtime.task_context import TaskContext
from engine.runtime.work import Work
from engine.storage.tables.cases import case_clock, case_link
from tests.packs.filed import CaseWalker, filed_case


def context(connection: Any, here: CaseWalker) -> TaskContext:
    work = object.__new__(Work)
    work.act_id, work.undo = new_id(), []
    return TaskContext(app=here.app, connection=connection, at=here.at, effect_key="", case=dict(here.case()), instance_id=new_id(), node="start_clock",
                       process="case_filing.case_filing_approval", facts={}, work=work)


def test_the_clock_of_a_linked_case_is_started_and_of_no_other(town: Any) -> None:
    here, there = filed_case(town), filed_case(town, cause="另一案")
    with here.app.db.begin() as connection:
        end_clock(connection, case_id=there.case_id, clock="case_filing.case_handling", on=here.at.date(), by=By(at=here.at))  # type: ignore[arg-type]
        with pytest.raises(BusinessError, match="没有关联"):
            start_clock(context(connection, here), clock="case_handling", case=str(there.case_id))
        connection.execute(case_link.insert().values(id=new_id(), from_id=here.case_id, to_id=there.case_id, kind="became", at=here.at))
        start_clock(context(connection, here), clock="case_handling", case=str(there.case_id), label="重新计算")
        rows = connection.execute(case_clock.select().where(case_clock.c.state == "running", case_clock.c.case_id == there.case_id)).all()
    assert [(row.clock, row.title) for row in rows] == [("case_filing.case_handling/重新计算", "案件办理期限（重新计算）")]
