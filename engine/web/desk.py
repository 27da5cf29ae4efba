"""工作台: what waits for me, what I started, what I did."""
from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from engine.kernel.errors import Invalid
from engine.reference import calendars
from engine.runtime.queries import desk as query
from engine.runtime.queries import starts
from engine.runtime.queries.pages import Page
from engine.web.context import actor, application, new_key, now, reading, today
from engine.web.desk_batch import batches

blueprint = Blueprint("desk", __name__)
BOXES = ("mine", "sent", "done", "copied")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What the page draws."""

    page: Page[Any]
    recent: list[dict[str, Any]]
    starts: list[dict[str, str]]
    figures: query.Figures | None = None
    options: query.Inbox | None = None
    groups: list[query.Group] = field(default_factory=list)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)


@blueprint.get("/desk")
def page() -> ResponseReturnValue:
    box = request.args.get("box", "mine")
    due = request.args.get("due", "all")
    if box not in BOXES or due not in query.BUCKETS:
        raise Invalid("这个地址里的筛选条件不认识，请从工作台重新选。", code="bad_filter")
    filters = query.Filters(process=_asked("process"), node=_asked("node"), sender=_asked("from"))
    with reading() as connection:
        made = _mine(connection, due, filters) if box == "mine" else _past(connection, box)
    return render_template("desk/page.html", box=box, due=due, filters=filters, desk=made, batch_key=new_key())


def _asked(name: str) -> str:
    return request.args.get(name, "")[:200]


def _place() -> dict[str, Any]:
    return {"after": request.args.get("after"), "before": request.args.get("n", 0, type=int)}


def _mine(connection: Connection, due: str, filters: query.Filters) -> Desk:
    calendar = calendars.load(connection)
    soon = calendar.add_working_days(today(), 3)
    inbox = query.inbox(connection, actor=actor(), today=today(), soon_until=soon, filters=filters)
    figures = inbox.figures
    total = {"all": figures.all, "late": figures.late, "today": figures.today, "3d": figures.soon, "later": figures.later}[due]
    page = query.waiting(
        connection, actor=actor(), today=today(), soon_until=soon, filters=filters, due=due, calendar=calendar, total=total, crowded=inbox.crowded, **_place(),
    )
    return Desk(page=page, recent=_recent(connection), starts=_starts(connection), figures=figures, options=inbox, groups=query.groups(page, figures),
                batches=batches(list(page.rows)))


def _past(connection: Connection, box: str) -> Desk:
    read: Any = {"sent": query.started, "done": query.done, "copied": query.copied}[box]
    return Desk(page=read(connection, actor=actor(), **_place()), recent=_recent(connection), starts=_starts(connection))


def _recent(connection: Connection) -> list[dict[str, Any]]:
    since = now() - timedelta(days=2)
    return [{**vars(act), "key": new_key()} for act in query.recent(connection, actor=actor(), since=since)]


def _starts(connection: Connection) -> list[dict[str, str]]:
    offered = starts.offered(connection, catalogue=application().catalogue, actor=actor(), on=today())
    return [{"pack": start.pack, "name": start.name, "title": start.title} for start in offered[:6]]
