"""数据目录: the collections of data with their fields, on a page and as a workbook's worth of CSV for the data centre's catalogue."""
from __future__ import annotations

import csv
import io

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from engine.access.audit import note
from engine.kernel.clock import SHANGHAI
from engine.runtime.queries.data_catalogue import KINDS, Collection, collections, share_watched
from engine.web.admin_security import require_reader
from engine.web.context import actor, application, now, reading, writing

blueprint = Blueprint("admin_catalogue", __name__)
HEADS = ("数据目录", "代号", "业务包", "归口", "谁可以看", "监测", "约有", "栏目", "栏目代号", "类型", "字典", "必填", "敏感", "说明")


@blueprint.get("/admin/catalogue")
def page() -> ResponseReturnValue:
    require_reader()
    found, word = _collections(), request.args.get("q", "").strip()[:60]
    shown = [one for one in found if word in one.title or word in one.pack or word in one.name or any(word in field.title for field in one.fields)]
    return render_template("admin/catalogue.html", found=shown, watched=share_watched(found), q=word, kinds=KINDS)


@blueprint.get("/admin/catalogue.csv")
def export() -> ResponseReturnValue:
    """One line for each field; that it was taken out is on record."""
    require_reader()
    with writing() as connection:
        note(connection, actor=actor(), at=now(), action="trace.export", object="catalogue", network=request.remote_addr or "")
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*HEADS, f"{actor().name} {now().astimezone(SHANGHAI):%Y-%m-%d %H:%M} 导出"])
    for one in _collections():
        head = [one.title, one.name, one.pack, one.owner, one.seen_by, one.watched, one.rows]
        for field in one.fields:
            sensitive = "加密" if field.encrypt else "遮掩" if field.mask else ""
            writer.writerow([*head, field.title, field.name, KINDS.get(field.type, field.type), field.dictionary or "", "是" if field.required else "", sensitive, field.help])
        if not one.fields:
            writer.writerow(head)
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=catalogue.csv"
    return answer


def _collections() -> list[Collection]:
    app = application()
    with reading() as connection:
        return collections(connection, library=app.library, catalogue=app.catalogue)
