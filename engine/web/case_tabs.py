"""Materials of a case, each fetched when its tab is opened."""
from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from engine.documents.queries import STATES
from engine.runtime.compress_attachment import compression_of
from engine.runtime.correct_submission import Correction, find_correction
from engine.runtime.queries import case_page as query
from engine.runtime.queries import journey as query_journey
from engine.runtime.queries.submissions import Answers
from engine.runtime.secrets import mask_secret, open_secrets
from engine.web import task_form
from engine.web.case_page import process_title
from engine.web.context import actor, application, identifier, now, reading

blueprint = Blueprint("case_tabs", __name__)
LIGHTS = {"draft": "none", "issued": "ok", "served": "done", "withdrawn": "hold", "void": "late"}
LINKS = {"became": ("由此立案", "来自"), "merged_into": ("并入", "并入了"), "related": ("相关", "相关")}


@blueprint.get("/cases/<case_id>/forms")
def forms(case_id: str) -> ResponseReturnValue:
    id = identifier(case_id, "案件")
    with reading() as connection:
        rows = query.submissions(connection, actor=actor(), case_id=id)
    named = [{**row, "form_title": _form_title(row["form"])} for row in rows]
    return render_template("case/forms.html", rows=named)


def _form_title(name: str) -> str:
    found = application().library.find_current("form", name)
    return found.title if found else name


@blueprint.get("/submissions/<submission_id>")
def submission(submission_id: str) -> ResponseReturnValue:
    """One submitted form, read-only, as a piece of the page."""
    id = identifier(submission_id, "表单")
    with reading() as connection:
        row = query.submission(connection, actor=actor(), submission_id=id)
        case = query.head(connection, case_id=row["case_id"])
        answers = Answers(
            node=row["node"], instance_id=row["instance_id"], form=row["form"], data=open_secrets(application().keys, row["data"], mask=mask_secret), by_name=row["by_name"], at=row["at"],
            superseded=row["superseded"],
        )
        block = task_form.answers_block(connection, answers, case=case, bundle_id=row["bundle_id"])
        correctable = not row["superseded"] and isinstance(find_correction(application(), connection, actor=actor(), submission_id=id, at=now()), Correction)
    return render_template("case/submission.html", block=block, row=row, case=case, correctable=correctable)


@blueprint.get("/cases/<case_id>/documents")
def documents(case_id: str) -> ResponseReturnValue:
    with reading() as connection:
        rows = query.documents(connection, actor=actor(), case_id=identifier(case_id, "案件"))
    return render_template("case/documents.html", rows=rows, states=STATES, lights=LIGHTS)


@blueprint.get("/cases/<case_id>/attachments")
def attachments(case_id: str) -> ResponseReturnValue:
    with reading() as connection:
        rows = query.attachments(connection, actor=actor(), case_id=identifier(case_id, "案件"))
        compressed = compression_of(connection, attachment_ids=[row["id"] for row in rows])
    return render_template("case/attachments.html", rows=rows, compressed=compressed)


@blueprint.get("/cases/<case_id>/links")
def links(case_id: str) -> ResponseReturnValue:
    with reading() as connection:
        rows = query.links(connection, actor=actor(), case_id=identifier(case_id, "案件"))
    return render_template("case/links.html", rows=rows, words=LINKS)


@blueprint.get("/cases/<case_id>/journey")
def journey(case_id: str) -> ResponseReturnValue:
    """流转日志: each step with unit, person, time and stay."""
    with reading() as connection:
        hops = query_journey.journey(connection, actor=actor(), case_id=identifier(case_id, "案件"), at=now())
    return render_template("case/journey.html", hops=hops, stays=query_journey.stays(hops))


@blueprint.get("/cases/<case_id>/acts")
def acts(case_id: str) -> ResponseReturnValue:
    """Older entries of 办理经过, in place of the button that asked for them."""
    id = identifier(case_id, "案件")
    with reading() as connection:
        rows, older = query.older_acts(connection, actor=actor(), case_id=id, before=request.args.get("before", ""))
    return render_template("case/older.html", stages=query.stages(rows, title_of=process_title), older=older, case_id=id)


@blueprint.get("/cases/<case_id>/log")
def log(case_id: str) -> ResponseReturnValue:
    """The audit records; with ``before`` older ones, as rows in place of the one that asked for them."""
    id = identifier(case_id, "案件")
    with reading() as connection:
        rows, older = query.log(connection, actor=actor(), case_id=id, before=request.args.get("before"))
    return render_template("case/log_rows.html" if "before" in request.args else "case/log.html", rows=rows, older=older, case_id=id, actions={**{f"act.{kind}": word for kind, word in query.WORDS.items()}, **OTHER})


OTHER = {"document.issue": "签发文书", "document.seal": "文书用印", "document.withdraw": "撤回文书", "document.void": "作废文书", "document.correct": "改文书草稿",
         "attachment.compress": "压缩附件"}
