"""版本比较与待合并: what two versions of a file differ in; where folder and page both changed, three ways side by side and a choice."""
from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.errors import Invalid, NotFound
from engine.kernel.names import is_name
from engine.packs.library import Definition
from engine.runtime.deploy_file import ANALYST
from engine.runtime.differences import KINDS, Difference, both_changed, compare
from engine.runtime.merge_pending import OURS, THEIRS, choose_version, pending_of
from engine.runtime.queries import versions as query
from engine.runtime.return_version import return_version
from engine.web.answers import done
from engine.web.context import actor, application, identifier, now, reading

blueprint = Blueprint("differences", __name__)
WHATS = {"deploy": "发布", "return": "退回", "merge": "合并"}
HOW = {"added": ("ok", "新增"), "removed": ("late", "删去"), "changed": ("soon", "改动")}


@blueprint.get("/versions")
def page() -> ResponseReturnValue:
    """Files with several versions, those that wait to be merged first."""
    with reading() as connection:
        pending, changed = query.pending(connection), query.changed(connection)
    return render_template("differences/page.html", pending=pending, changed=changed, kinds=KINDS)


@blueprint.get("/versions/<kind>/<pack>/<name>")
def one(kind: str, pack: str, name: str) -> ResponseReturnValue:
    """``?from=&to=`` version numbers; without them the two newest."""
    full = _known(kind, pack, name)
    library = application().library
    with reading() as connection:
        rows = query.of_file(connection, kind=kind, name=full)
        merging = pending_of(connection, kind=kind, name=full) is not None
        record = query.changes_of(connection, kind=kind, name=full)
    by_number = {row["version"]: row for row in rows}
    numbers = [row["version"] for row in rows]
    new, old = request.args.get("to", numbers[0], type=int), request.args.get("from", (numbers[1:] or numbers)[0], type=int)
    if new not in by_number or old not in by_number:
        raise NotFound("没有这个版本。")
    before, after = (library.definition(by_number[number]["id"]) for number in (old, new))
    return render_template(
        "differences/one.html", kind=kind, pack=pack, name=name, rows=rows, old=before, new=after, difference=compare(before, after), how=HOW, kinds=KINDS, merging=merging,
        pictures=_pictures(before, after, compare(before, after)), record=record, whats=WHATS, may=ANALYST in actor().rights,
    )


@blueprint.post("/versions/<kind>/<pack>/<name>")
def back(kind: str, pack: str, name: str) -> ResponseReturnValue:
    """Put an earlier version into force again."""
    version = request.form.get("version", type=int)
    if version is None:
        raise Invalid("请选退回到哪一版。", fields={"version": "请选一版。"})
    made = return_version(application(), actor=actor(), kind=kind, name=_known(kind, pack, name), version=version, reason=request.form.get("reason", ""), at=now())
    return done(url_for("differences.one", kind=kind, pack=pack, name=name), f"第 {made.version} 版又在用了，新发起的案件按它办；在办的不变，后来的各版留在记录里。")


@blueprint.get("/versions/<kind>/<pack>/<name>/merge")
def merge(kind: str, pack: str, name: str) -> ResponseReturnValue:
    """Base, page and folder side by side."""
    full = _known(kind, pack, name)
    with reading() as connection:
        found = pending_of(connection, kind=kind, name=full)
    if found is None:
        raise NotFound("没有等着合并的改动，可能别人已经处理了。")
    base, ours, theirs = found
    sides = [_side("ours", "页面上改的（在用）", base, ours), _side("theirs", "文件夹里改的", base, theirs)]
    between = compare(ours, theirs)
    return render_template(
        "differences/merge.html", kind=kind, pack=pack, name=name, base=base, ours=ours, theirs=theirs, sides=sides, between=between, how=HOW, kinds=KINDS,
        clashes=both_changed(sides[0]["difference"], sides[1]["difference"]), may=ANALYST in actor().rights,
    )


@blueprint.post("/versions/<kind>/<pack>/<name>/merge")
def choose(kind: str, pack: str, name: str) -> ResponseReturnValue:
    actor().require(ANALYST)
    which = request.form.get("which", "")
    if which not in (OURS, THEIRS):
        raise Invalid("请选用哪一个。", fields={"which": "请选页面上改的，或者文件夹里改的。"})
    made = choose_version(
        application(), actor=actor(), kind=kind, name=_known(kind, pack, name), which=which, theirs_id=identifier(request.form.get("theirs", ""), "版本"), at=now(),
    )
    words = "文件夹里改的" if which == THEIRS else "页面上改的"
    return done(url_for("differences.one", kind=kind, pack=pack, name=name), f"用了{words}第 {made.version} 版，另一版留在版本记录里。")


def _side(key: str, title: str, base: Definition | None, version: Definition) -> dict[str, Any]:
    difference = compare(base, version) if base is not None else Difference()
    return {"key": key, "title": title, "version": version, "difference": difference, "picture": _picture(version, {**difference.by_mark, "removed": []})}


def _pictures(old: Definition, new: Definition, difference: Difference) -> list[dict[str, Any]]:
    marks = difference.by_mark
    return [one for one in (_picture(old, {"removed": marks["removed"], "changed": marks["changed"]}), _picture(new, {"added": marks["added"], "changed": marks["changed"]})) if one]


def _picture(version: Definition, marks: dict[str, list[str]]) -> dict[str, Any] | None:
    if version.kind != "process":
        return None
    pack, name = version.name.split(".", 1)
    return {"url": url_for("processes.diagram", pack=pack, name=name, version=version.version), "marks": marks, "version": version.version}


def _known(kind: str, pack: str, name: str) -> str:
    if kind not in KINDS or not (is_name(pack) and is_name(name)):
        raise NotFound("没有这个文件的版本。")
    return f"{pack}.{name}"
