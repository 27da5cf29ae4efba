"""文书核验: anyone with the paper in hand may ask whether it is genuine."""
from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.access import rates
from engine.documents.verify import MAX_UPLOAD, PER_MINUTE, RESULTS, normalise_code, verify_code, verify_file
from engine.kernel.errors import TooLarge
from engine.web.context import application, now, writing
from engine.web.guard import public

blueprint = Blueprint("verify", __name__)
LIGHTS = {"genuine": "ok", "altered": "late", "withdrawn": "late", "void": "late", "unknown": "none", "pending": "now"}


@blueprint.get("/v")
@public
def ask() -> ResponseReturnValue:
    code = normalise_code(request.args.get("code", ""))
    if code:
        return redirect(url_for("verify.page", code=code))
    return render_template("documents/ask.html")


@blueprint.get("/v/<code>")
@public
def page(code: str) -> ResponseReturnValue:
    _slow_down()
    with writing() as connection:
        verdict = verify_code(application(), connection, code=code, at=now(), network=request.remote_addr or "")
    return render_template("documents/verify.html", verdict=verdict, code=normalise_code(code), words=RESULTS, lights=LIGHTS)


@blueprint.post("/v/<code>")
@public
def compare(code: str) -> ResponseReturnValue:
    """Compare an uploaded file with the document of this code; ``-`` when the reader has only the file."""
    sent = request.files.get("file")
    upload = sent.read(MAX_UPLOAD + 1) if sent else b""
    if len(upload) > MAX_UPLOAD:
        raise TooLarge("文件超过 20 MB，没有核验。请上传文书的 PDF 原件。")
    if not upload:
        return redirect(url_for("verify.ask"))
    _slow_down()
    with writing() as connection:
        network = request.remote_addr or ""
        if code == "-":
            code, verdict = verify_file(application(), connection, upload=upload, at=now(), network=network)
        else:
            verdict = verify_code(application(), connection, code=code, at=now(), network=network, upload=upload)
    return render_template("documents/verify.html", verdict=verdict, code=normalise_code(code), words=RESULTS, lights=LIGHTS)


def _slow_down() -> None:
    """Count this question for its address in every worker's sight; raises TooOften."""
    with writing() as connection:
        asked = rates.count(connection, kind="verify", subject=request.remote_addr or "", at=now())
    if asked > PER_MINUTE:
        raise rates.TooOften("核验得太频繁，请过一分钟再试。", retry_after=rates.seconds_left(now()))
