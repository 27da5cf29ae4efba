"""分办: how far a fan-out is, its items with their cases; calling off the rest, passing over one."""
from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.errors import Invalid
from engine.runtime.end_items import cancel_rest, may_steer, skip_item
from engine.runtime.queries import fanouts as query
from engine.web.answers import done
from engine.web.context import actor, application, identifier, new_key, now, reading, sent_key

blueprint = Blueprint("fanouts", __name__)
STATES = {"planned": ("none", "还没建立"), "running": ("now", "在办"), "done": ("done", "办完"), "skipped": ("hold", "跳过"), "cancelled": ("hold", "不再办")}
WHOLE = {"open": ("now", "进行中"), "ended": ("done", "已结束"), "cancelled": ("hold", "已取消")}


@blueprint.get("/cases/<case_id>/fanouts")
def progress(case_id: str) -> ResponseReturnValue:
    """A piece of the case page: a bar for each fan-out, fetched again while one is under way; in a child case the way to its parent."""
    id = identifier(case_id, "案件")
    with reading() as connection:
        rows = query.of_case(connection, actor=actor(), case_id=id)
        parent = query.parent_of(connection, actor=actor(), case_id=id)
    return render_template("fanouts/progress.html", rows=rows, parent=parent, case_id=id, states=STATES, whole=WHOLE)


@blueprint.get("/fanouts/<fanout_id>")
def page(fanout_id: str) -> ResponseReturnValue:
    return _show(identifier(fanout_id, "分办"))


@blueprint.post("/fanouts/<fanout_id>/cancel")
def cancel(fanout_id: str) -> ResponseReturnValue:
    """End it with what came back so far."""
    id, reason = identifier(fanout_id, "分办"), request.form.get("reason", "")
    try:
        cancel_rest(application(), actor=actor(), fanout_id=id, reason=reason, at=now())
    except Invalid as error:
        return _show(id, errors=error.fields), 422
    return done(url_for("fanouts.page", fanout_id=id), "没办完的不再办，上级案件按已办完的往下走。")


@blueprint.post("/fanouts/<fanout_id>/items/<int:index>/skip")
def skip(fanout_id: str, index: int) -> ResponseReturnValue:
    """Pass over one item."""
    id, reason = identifier(fanout_id, "分办"), request.form.get("reason", "")
    try:
        skip_item(application(), actor=actor(), fanout_id=id, index=index, reason=reason, key=sent_key(), at=now())
    except Invalid as error:
        return _show(id, errors={f"item{index}": error.fields["reason"]}), 422
    return done(url_for("fanouts.page", fanout_id=id, after=index - 1 if index else None), f"第 {index + 1} 项已跳过。")


def _outcomes(process: str, node: str) -> dict[str, str]:
    """What the buttons of the activity are called: an item's result is mostly one of them."""
    found = application().library.find_current("process", process)
    outcomes = found.meta["nodes"].get(node, {}).get("outcomes", []) if found else []
    return {one["value"]: one.get("title", one["value"]) for one in outcomes}


def _show(id: UUID, *, errors: dict[str, str] | None = None) -> str:
    status = request.args.get("status") if request.args.get("status") in query.STATES else None
    after = request.args.get("after", -1, type=int)
    with reading() as connection:
        row = query.one(connection, actor=actor(), fanout_id=id)
        found = query.items(connection, fanout_id=id, status=status, after=after)
    rows: list[dict[str, Any]] = found[: query.SIZE]
    return render_template(
        "fanouts/page.html", row=row, rows=rows, states=STATES, whole=WHOLE, status=status, after=after, next=rows[-1]["index"] if len(found) > query.SIZE else None,
        titles=_outcomes(row["process"], row["node"]), steer=row["status"] == "open" and may_steer(row, actor()), errors=errors or {}, key=new_key(),
    )
