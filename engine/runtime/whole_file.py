"""整卷: one PDF with everything of a case, made by the worker when somebody asks and kept until the case changes."""
from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from markupsafe import Markup
from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from engine.access.actors import Actor, load_actor
from engine.access.notices import NewNotice, send_notices
from engine.access.scope import require_case
from engine.documents.jobs import fonts_folder
from engine.documents.whole_file import Part, build_whole_file
from engine.form_filling.render import render_form
from engine.kernel.clock import SHANGHAI, legal_date
from engine.kernel.errors import Conflict
from engine.kernel.gm import sm3_hex
from engine.runtime.answers import form_of
from engine.runtime.application import Application
from engine.runtime.form_context import form_context
from engine.runtime.form_grants import readable, reading_rights
from engine.runtime.job_names import WHOLE_FILE
from engine.runtime.queries.case_page import CasePage, Step, case_page, older_acts, stages
from engine.runtime.secrets import mask_secret, open_secrets
from engine.storage.tables.cases import attachment, case_export, case_file
from engine.storage.tables.documents import document
from engine.storage.tables.runtime import instance, submission

IMAGES = ("image/jpeg", "image/png", "image/webp")


@dataclass(frozen=True, kw_only=True)
class WholeFile:
    """``sm3`` of the finished file; None while it is being made. ``problem`` says in Chinese why it could not be."""

    title: str
    sm3: str | None
    problem: str = ""


def request_file(app: Application, *, actor: Actor, case_id: UUID, at: datetime) -> WholeFile:
    """The whole file of a case as it stands, or the order to make it. Raises NotFound for a case the actor may not see."""
    with app.db.begin() as connection:
        require_case(connection, actor, case_id)
        title, mark = _title_and_mark(connection, case_id)
        view = view_of(actor)
        row = connection.execute(select(case_export).where(case_export.c.case_id == case_id, case_export.c.view == view).with_for_update()).one_or_none()
        if row is not None and row.mark == mark:
            return WholeFile(title=title, sm3=row.sm3, problem=row.problem)
        values = {"case_id": case_id, "view": view, "mark": mark, "sm3": None, "problem": "", "asked_at": at, "made_at": None}
        connection.execute(insert(case_export).values(values).on_conflict_do_update(index_elements=["case_id", "view"], set_=values))
        app.jobs.defer(
            connection, WHOLE_FILE, queueing_lock=f"whole_file:{case_id}:{view}:{mark}", case_id=str(case_id), mark=mark, view=view, account_id=str(actor.account_id),
            post_id=str(actor.post_id),
        )
    return WholeFile(title=title, sm3=None)


def view_of(actor: Actor) -> str:
    """What grants by field leave this reader: whole files are shared by readers who see the same."""
    grants = sorted(f"{one.object}:{one.level}" for one in actor.grants if one.kind == "field")
    return sm3_hex(" ".join(grants).encode())[:32] if grants else ""


def _title_and_mark(connection: Connection, case_id: UUID) -> tuple[str, str]:
    """The case's name, and what changes when anything that belongs into the file changes."""
    d, a = document.c, attachment.c
    row = connection.execute(
        select(
            case_file.c.title, case_file.c.number, case_file.c.updated_at,
            select(func.string_agg(func.concat(d.state, d.rev, d.sealed_sm3), "," )).where(d.case_id == case_id).scalar_subquery().label("documents"),
            select(func.count()).where(a.case_id == case_id, a.removed_at.is_(None)).scalar_subquery().label("files"),
        ).where(case_file.c.id == case_id)
    ).one()
    return " ".join(filter(None, (row.number, row.title))), f"{row.updated_at.isoformat()} {row.documents} {row.files}"


def make_file(app: Application, *, case_id: str, mark: str, account_id: str, post_id: str, view: str = "") -> None:
    """The job: build the file as the person who asked may see it, keep it for readers who see the same, tell them."""
    at, id = app.clock.now(), UUID(case_id)
    with app.db.connect() as connection:
        actor = load_actor(connection, UUID(account_id), UUID(post_id), legal_date(at))
        if view_of(actor) != view:
            raise Conflict("申请整卷以后权限变了，请重新打开整卷。")
        page = case_page(connection, actor=actor, case_id=id)
        parts = list(_parts(app, connection, actor, page, at))
    content = build_whole_file(heading=page.head["title"], facts=_facts(page), parts=parts, fonts=fonts_folder(app))
    sm3 = app.blobs.put(content)
    with app.db.begin() as connection:
        kept = connection.execute(
            update(case_export).where(case_export.c.case_id == id, case_export.c.view == view, case_export.c.mark == mark).values(sm3=sm3, made_at=at, problem="")
        ).rowcount
        if kept:
            _tell(connection, actor.person_id, id, f"整卷做好了：{page.head['title']}", at)


def file_failed(app: Application, error: BaseException, *, case_id: str, mark: str, account_id: str, post_id: str, view: str = "") -> None:
    """After the last try: say so on the page that waits."""
    with app.db.begin() as connection:
        connection.execute(
            update(case_export).where(case_export.c.case_id == UUID(case_id), case_export.c.view == view, case_export.c.mark == mark)
            .values(problem="整卷没有做成，请稍后再试；多次不行请告诉管理员。", mark="")
        )


def _tell(connection: Connection, person_id: UUID, case_id: UUID, text: str, at: datetime) -> None:
    send_notices(connection, notices=[NewNotice(person_id=person_id, kind="system", text=text, link=f"/cases/{case_id}/file.pdf", case_id=case_id)], at=at)


def _facts(page: CasePage) -> list[tuple[str, str]]:
    head = page.head
    return [("编号", head["number"] or ""), ("当事人", head["subject"]), ("地点", head["address"]), ("承办单位", head["unit_name"]), ("状态", head["state_title"])]


def _parts(app: Application, connection: Connection, actor: Actor, page: CasePage, at: datetime) -> Iterator[Part]:
    """Forms in the order they were filled, documents, the history, then files that print."""
    yield from _forms(app, connection, actor, page, at)
    yield from _documents(app, connection, page.head["id"])
    yield Part(title="办理经过", html=_history(_every_act(connection, actor, page)), date=_day(at))
    yield from _files(app, connection, page.head["id"])


def _forms(app: Application, connection: Connection, actor: Actor, page: CasePage, at: datetime) -> Iterator[Part]:
    s = submission.c
    rows = connection.execute(
        select(s.form, s.data, s.at, s.by_name, instance.c.bundle_id).join(instance, instance.c.id == s.instance_id)
        .where(s.case_id == page.head["id"], s.superseded.is_(False)).order_by(s.at, s.id)
    ).all()
    for row in rows:
        form = form_of(app, app.library.bundle(row.bundle_id), row.form)
        data = readable(form, actor, open_secrets(app.keys, row.data, mask=mask_secret))
        if not any(data.get(name) for name in form.fields):
            continue
        context = replace(form_context(app, connection, actor=actor, form=form, at=at, case=page.head), known=data)
        html = render_form(form, data=data, rights=reading_rights(form, actor), errors={}, context=context, mode="print")
        signed = Markup("<p class='right'>填写：{}　{}</p>").format(row.by_name, _day(row.at))
        yield Part(title=form.title, html=str(html + signed), date=_day(row.at))


def _documents(app: Application, connection: Connection, case_id: UUID) -> Iterator[Part]:
    rows = connection.execute(
        select(document).where(document.c.case_id == case_id, document.c.state.in_(["issued", "served"])).order_by(document.c.issued_at, document.c.id)
    )
    for row in rows:
        sm3 = row.sealed_sm3 or row.pdf_sm3
        if sm3:
            yield Part(title=row.title, pdf=app.blobs.get(sm3), date=_day(row.issued_at), note=row.number or "")


def _files(app: Application, connection: Connection, case_id: UUID) -> Iterator[Part]:
    rows = connection.execute(
        select(attachment).where(attachment.c.case_id == case_id, attachment.c.removed_at.is_(None)).order_by(attachment.c.uploaded_at, attachment.c.id)
    )
    for row in rows:
        title = row.caption or row.file_name
        if row.content_type == "application/pdf":
            yield Part(title=title, pdf=app.blobs.get(row.sm3), date=_day(row.uploaded_at))
        elif row.content_type in IMAGES:
            data = base64.b64encode(app.blobs.get(row.sm3)).decode()
            picture = Markup("<h1>{}</h1><p><img style='max-width:100%;max-height:22cm' src='data:{};base64,{}'></p>").format(title, row.content_type, data)
            yield Part(title=title, html=str(picture), date=_day(row.uploaded_at))
        else:
            yield Part(title=f"{title}（{row.content_type}，只列目录）", html=str(Markup("<p>{}，电子文件另存。</p>").format(row.file_name)), date=_day(row.uploaded_at))


def _every_act(connection: Connection, actor: Actor, page: CasePage) -> list[dict[str, Any]]:
    """The page's acts and all before them."""
    acts, older = [*page.acts], page.older
    while older:
        more, older = older_acts(connection, actor=actor, case_id=page.head["id"], before=older)
        acts += more
    return acts


def _history(acts: list[dict[str, Any]]) -> str:
    rows = [_line(step) for stage in reversed(stages(acts, title_of=str)) for step in reversed(stage.steps)]
    table = Markup("<table><thead><tr><th>时间</th><th>办理人</th><th>岗位</th><th>结果</th><th>意见</th></tr></thead><tbody>{}</tbody></table>")
    return str(Markup("<h1>办理经过</h1>") + table.format(Markup("").join(rows)))


def _line(step: Step) -> Markup:
    cells: tuple[Any, ...] = (f"{step.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}", step.person, step.post, step.word, step.opinion)
    return Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(cell) for cell in cells))


def _day(at: datetime | None) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d}" if at else ""
