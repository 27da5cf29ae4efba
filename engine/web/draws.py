"""抽样: drawing from a register's list, what was picked and how, the proof, drawing again with a reason."""
from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.errors import Forbidden, Invalid
from engine.registers.catalogue import registers_of
from engine.registers.declaration import Register
from engine.reporting.sampling.draw import Rule
from engine.reporting.sampling.proof import check_proof, rule_of_json
from engine.runtime.draw_sample import Order, draw_sample, ids_named, may_draw
from engine.runtime.queries import draws as query
from engine.runtime.queries import registers as records
from engine.web.answers import done
from engine.web.context import actor, application, identifier, new_key, now, reading, sent_key
from engine.web.registers import asked_of, wanted

blueprint = Blueprint("draws", __name__)
STRATA = ("choice", "unit", "boolean")


@blueprint.get("/draws")
def page() -> ResponseReturnValue:
    register = request.args.get("register", "")
    with reading() as connection:
        found = query.listed(connection, actor=actor(), register=register, after=request.args.get("after"), before=request.args.get("n", 0, type=int))
    titles = {name: declared.title for name, (declared, _) in registers_of(application().library).items()}
    return render_template("draws/list.html", draws=found, titles=titles, register=register)


@blueprint.get("/registers/<pack>/<name>/draw")
def form(pack: str, name: str) -> ResponseReturnValue:
    return _form(pack, name, {})


@blueprint.post("/registers/<pack>/<name>/draw")
def make(pack: str, name: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    try:
        id = draw_sample(application(), actor=actor(), order=_order(register), key=identifier(sent_key(), "表"), at=now())
    except Invalid as error:
        return _form(pack, name, {**error.fields, "": error.message}), 422
    return done(url_for("draws.one", draw_id=id), "已抽好，证明文件已保存。")


def _form(pack: str, name: str, errors: dict[str, str]) -> str:
    register, table = wanted(pack, name)
    asked = asked_of(register)
    with reading() as connection:
        if not may_draw(connection, register=register, actor=actor(), at=now()):
            raise Forbidden(f"您的岗位不能从“{register.title}”抽样。")
        total = records.count(connection, actor=actor(), register=register, table=table, asked=asked)
    strata = [one for one in register.fields.values() if one.type in STRATA and not one.secret]
    return render_template(
        "draws/form.html", register=register, pack=pack, name=name, asked=asked, total=total, strata=strata, errors=errors, sent=request.form,
        key=request.form.get("key") or new_key(),
    )


def _order(register: Register) -> Order:
    sent = request.form
    return Order(
        title=sent.get("title", ""), register=register.name, query=asked_of(register).address, stratum=sent.get("stratum", ""), seed=sent.get("seed", ""),
        seed_source=sent.get("seed_source", ""), rule=_rule(register),
    )


def _rule(register: Register) -> Rule:
    how, text = request.form.get("how", "ratio"), request.form.get("amount", "").strip().removesuffix("%").removesuffix("％")
    least = request.form.get("least", "").strip() or "0"
    try:
        amount = Decimal(text)
        if not least.isdigit() or (how == "number" and amount != amount.to_integral_value()):
            raise InvalidOperation
    except InvalidOperation:
        raise Invalid("抽多少要写数字；按总数抽写整数，按比例抽写百分数。", fields={"amount": "写数字。"}) from None
    _, table = wanted(*register.name.split(".", 1))
    with reading() as connection:
        must, without = (ids_named(connection, register=register, table=table, actor=actor(), text=request.form.get(field, ""), field=field) for field in ("must", "without"))
    if how == "number":
        return Rule(number=int(amount), least=int(least), must=must, without=without)
    return Rule(ratio=amount, least=int(least), must=must, without=without)


@blueprint.get("/draws/<draw_id>")
def one(draw_id: str) -> ResponseReturnValue:
    after = request.args.get("after", 0, type=int)
    with reading() as connection:
        row = query.one(connection, actor=actor(), draw_id=identifier(draw_id, "抽样"))
        picked = query.picks(connection, draw_id=row["id"], after=after)
        register, _ = registers_of(application().library).get(row["register"], (None, None))
        again = register is not None and row["next_id"] is None and may_draw(connection, register=register, actor=actor(), at=now())
    pack, name = row["register"].split(".", 1)
    stratum = register.fields[row["stratum"]].title if register and row["stratum"] in register.fields else ""
    return render_template(
        "draws/one.html", draw=row, picked=picked[: query.PICKS], more=picked[query.PICKS - 1]["place"] if len(picked) > query.PICKS else None, register=register, pack=pack,
        name=name, stratum=stratum, again=again, key=new_key(), checked=None,
    )


@blueprint.get("/draws/<draw_id>/proof.json")
def proof(draw_id: str) -> ResponseReturnValue:
    answer = Response(_proof(draw_id), mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="draw-{draw_id}.json"'
    return answer


@blueprint.get("/draws/<draw_id>/check")
def check(draw_id: str) -> ResponseReturnValue:
    """Draw again from the kept proof and say what came out."""
    return render_template("draws/check.html", draw_id=draw_id, checked=check_proof(_proof(draw_id)))


def _proof(draw_id: str) -> bytes:
    with reading() as connection:
        row = query.one(connection, actor=actor(), draw_id=identifier(draw_id, "抽样"))
    return application().blobs.get(row["proof_sm3"])


@blueprint.post("/draws/<draw_id>/again")
def again(draw_id: str) -> ResponseReturnValue:
    """The same list by the same rule with a new seed; the earlier draw stays and says that it was replaced."""
    previous: UUID = identifier(draw_id, "抽样")
    with reading() as connection:
        row: Any = query.one(connection, actor=actor(), draw_id=previous)
    order = Order(
        title=row["title"], register=row["register"], query=row["query"], stratum=row["stratum"], rule=rule_of_json(row["rule"]), seed=request.form.get("seed", ""),
        seed_source=request.form.get("seed_source", ""), previous_id=previous, reason=request.form.get("reason", ""),
    )
    id = draw_sample(application(), actor=actor(), order=order, key=identifier(sent_key(), "表"), at=now())
    return done(url_for("draws.one", draw_id=id), "已重抽，原来的结果和原因仍公开在案。")
