"""批量办理 on the desk: rows of one step whose form needs nothing but an opinion are ticked and done at once."""
from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.runtime.act_on_many import Item, batch_complete, batch_return
from engine.runtime.answers import form_of_task
from engine.runtime.nodes import node_of, rights_of
from engine.runtime.queries.desk import Waiting
from engine.web.answers import done
from engine.web.context import actor, application, identifier, now, sent_key

blueprint = Blueprint("desk_batch", __name__)


def batches(rows: list[Waiting]) -> dict[str, dict[str, Any]]:
    """{step: {"word", "buttons", "can_return", "tasks"}} of the rows on a page that may be ticked; one step is one bar."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        offered = _offered(row)
        if offered:
            key = f"{row.place['process']}-{row.place['node']}".replace(".", "-")
            bar = found.setdefault(key, {"word": row.step, **offered, "tasks": set()})
            bar["tasks"].add(row.task_id)
    return found


def _offered(row: Waiting) -> dict[str, Any] | None:
    """The buttons that stand whatever the facts; None when the row must be opened."""
    place = dict(row.place)
    if row.asked or row.waiting or place["status"] == "suspended":
        return None
    app = application()
    node, form = node_of(app, place, place), form_of_task(app, place, place)
    if form is not None:
        rights = rights_of(node, list(form.fields))
        if any(rights[name] == "write" and field.required and field.kind != "opinion" for name, field in form.fields.items()):
            return None
    buttons = [{"value": one["value"], "word": one.get("title") or one["value"]} for one in node.outcomes
               if one.get("kind", "submit") == "submit" and not one.get("when")]
    can_return = node.returns is None or bool(node.returns)
    return {"buttons": buttons, "can_return": can_return} if buttons else None


@blueprint.post("/desk/batch")
def batch() -> ResponseReturnValue:
    key, outcome = sent_key(), request.form.get("outcome", "")
    chosen = [identifier(text, "任务") for text in dict.fromkeys(request.form.getlist("task"))]
    items = [Item(task_id=id, key=f"{key}:{id}", outcome=outcome, opinion=request.form.get("opinion", "")) for id in chosen]
    verb = batch_return if outcome == "$return" else batch_complete
    results = verb(application(), actor=actor(), items=items, at=now())
    refused = [result for result in results if not result.ok]
    if not refused:
        return done(url_for("desk.page"), f"{'退回' if verb is batch_return else '办好'} {len(results)} 件。")
    return render_template("desk/batch.html", results=results, refused=refused, returned=verb is batch_return)
