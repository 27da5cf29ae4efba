"""A process begins by itself on a case that another one opened (``begins`` in pack.yaml). An act of its own, without an officer."""
from __future__ import annotations

from datetime import datetime
from uuid import UUID

from engine.runtime.advance import advance
from engine.runtime.application import Application
from engine.runtime.begin import request_hash
from engine.runtime.locate import find_act, lock_case
from engine.runtime.once import once
from engine.runtime.settle import settle
from engine.runtime.start_case import new_instance


@once
def begin_process(app: Application, *, case_id: str, process: str, at: str) -> None:
    """The job. ``at`` is the instant of the act that opened the case; the process begins once, however often the job runs."""
    key = f"begin:{case_id}:{process}"
    with app.db.begin() as connection:
        case = lock_case(connection, UUID(case_id))
        if find_act(connection, key) is not None:
            return
        begun = app.catalogue.begin(process)
        asked = request_hash(kind="begin", case=case_id, process=process)
        when = datetime.fromisoformat(at)
        work = new_instance(app, connection, case=case, process=process, title=begun.title, actor=None, key=key, asked=asked, at=when)
        advance(work)
        settle(work)
