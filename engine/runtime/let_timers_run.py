"""After a suspension an instance's timers have the time left that they had."""
from __future__ import annotations

from sqlalchemy import select

from engine.runtime.work import Work
from engine.storage.tables.runtime import act


def let_timers_run(work: Work) -> None:
    """Move every timer by as long as the instance stood still; ``settle`` then writes all of them anew."""
    since = work.connection.scalar(
        select(act.c.at).where(act.c.instance_id == work.instance["id"], act.c.kind == "suspend").order_by(act.c.rev_before.desc()).limit(1)
    )
    for wait in work.machine.waits().timers:
        if since is not None and not wait.clock:
            work.machine.reschedule_timer(wait.engine_id, wait.due_at + (work.at - since))
    work.waits_before.timers.clear()
