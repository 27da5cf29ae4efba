"""密码与安全: where keys are and how old, rounds of new keys, programs, rows of rights."""
from __future__ import annotations

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.access import alarms
from engine.kernel.errors import Forbidden
from engine.kernel.gm import sm3_hex
from engine.kernel.gm.certificates import to_pem
from engine.kernel.gm.provider import default_provider
from engine.kernel.release import check_release, trusted_key
from engine.kernel.settings import ROOT
from engine.runtime import grave_acts
from engine.runtime.key_rounds import rounds
from engine.web.answers import done
from engine.web.confirm import sensitive
from engine.web.context import actor, application, identifier, now, reading
from engine.web.defences import defences
from engine.web.guard import public
from engine.web.requirement_rows import BY, counted, topics

blueprint = Blueprint("admin_security", __name__)
ASKED = "已申请，等另一位安全管理员或安全审计员核准以后才办。"
READERS = frozenset({alarms.AUDITOR, alarms.SECURITY, "admin"})


@blueprint.get("/admin/security")
def page() -> ResponseReturnValue:
    require_reader()
    app = application()
    with reading() as connection:
        listed, grave = rounds.rounds(connection), grave_acts.listed(connection)
    return render_template(
        "admin/security.html", by=BY, counts=counted(topics()), vault=app.keys.vault.name, provider=default_provider().name, versions=app.keys.versions(),
        rounds=listed, states=rounds.STATES, kinds=rounds.KINDS, release=check_release(ROOT, trusted=trusted_key(app.settings.data_dir)),
        root=sm3_hex(app.keys.root.certificate), may_change=alarms.SECURITY in actor().rights, running=any(row.state == "running" for row in listed), defences=defences(app.settings, https=request.is_secure), grave=grave, grave_states=grave_acts.STATES,
        two_people=app.settings.two_people, me=actor().person_id, may_approve=bool(grave_acts.APPROVERS & actor().rights),
    )


def require_reader() -> None:
    """Raise Forbidden unless the reader guards the platform."""
    if not READERS & actor().rights:
        raise Forbidden("您没有“安全审计”或“安全管理”的权限，请联系管理员。")


@blueprint.get("/root.pem")
@public
def root() -> ResponseReturnValue:
    """The certificate of our authority, for whoever verifies a document or a bundle elsewhere."""
    return Response(to_pem(application().keys.root.certificate, "CERTIFICATE"), mimetype="application/x-pem-file")


@blueprint.post("/admin/security/rounds")
@sensitive
def start() -> ResponseReturnValue:
    kind = request.form.get("kind", "")
    if request.form.get("what") != "go_on" and kind in rounds.KINDS and grave_acts.needs_second(application()):
        grave_acts.ask(application(), actor=actor(), kind="key_round", title=f"换{rounds.KINDS[kind]}", detail={"kind": kind}, reason=request.form.get("reason", ""), at=now())
        return done(url_for("admin_security.page"), ASKED)
    rounds.start_round(application(), actor=actor(), kind=kind, renew=request.form.get("what") != "go_on", at=now())
    return done(url_for("admin_security.page"), "开始了，在后台进行，不影响办案；进度在下面，可以随时停下，以后接着换。")


@blueprint.post("/admin/security/rounds/<round_id>/stop")
@sensitive
def stop(round_id: str) -> ResponseReturnValue:
    rounds.stop_round(application(), actor=actor(), round_id=identifier(round_id, "换密钥"), at=now())
    return done(url_for("admin_security.page"), "已停下。已换的不受影响，旧密钥仍能打开其余的；以后可以接着换。")


@blueprint.post("/admin/security/grave/<grave_id>/<any(approve, refuse, withdraw, again):act>")
@sensitive
def decide(grave_id: str, act: str) -> ResponseReturnValue:
    """A second person's word on what one asked for; or its withdrawal; or carrying out what a breakdown interrupted."""
    require_reader()
    id, app = identifier(grave_id, "申请"), application()
    if act == "withdraw":
        grave_acts.withdraw(app, actor=actor(), id=id, at=now())
    elif act == "again":
        actor().require(alarms.SECURITY)
        grave_acts.carry_out(app, id=id, at=now())
    else:
        grave_acts.decide(app, actor=actor(), id=id, approve=act == "approve", words=request.form.get("words", ""), at=now())
    return done(url_for("admin_security.page"), {"withdraw": "已撤回。", "refuse": "已记下，没有核准。"}.get(act, "已核准，并已按申请办理。"))
