"""全息图: one officer's page, for themselves, for whoever is above them, and for the administrators."""
from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from engine.access.organisation import get_person, posts_of
from engine.kernel.errors import Invalid, NotFound
from engine.runtime.organising import certificates
from engine.runtime.queries import officer as query
from engine.web.context import actor, identifier, reading, today

blueprint = Blueprint("officers", __name__)
MISSING = "没有这位人员，或者您无权查看。"
KINDS = {"start": "发起", "complete": "办理", "return": "退回", "withdraw": "撤回", "claim": "认领", "release": "放回", "transfer": "转办", "delegate": "委派", "sign": "答复意见", "cc": "抄送", "comment": "留言", "urge": "催办"}


@blueprint.get("/officers/<person_id>")
def one(person_id: str) -> ResponseReturnValue:
    """Posts, certificates, what is in hand, this year and the last, and every act on cases the reader may see."""
    id = identifier(person_id, "人员")
    asked: dict[str, Any] = {"from": _day("from"), "to": _day("to")}
    with reading() as connection:
        if not query.may_see_officer(connection, reader=actor(), person_id=id, on=today()):
            raise NotFound(MISSING)
        seats = posts_of(connection, person_id=id)
        counts, steps = query.in_hand(connection, reader=actor(), person_id=id, on=today())
        values: dict[str, Any] = {
            "person": get_person(connection, person_id=id), "seats": seats, "counts": counts, "steps": steps,
            "cards": [(row, *certificates.state_of(row, on=today())) for row in certificates.certificates_of(connection, person_id=id)],
            "years": [query.figures(connection, person_id=id, year=year) for year in (today().year, today().year - 1)],
            "acts": query.acts(
                connection, reader=actor(), person_id=id, first=asked["from"], last=asked["to"], after=request.args.get("after"), before=request.args.get("n", 0, type=int)),
        }
    return render_template("officers/one.html", asked=asked, kinds=KINDS, card_kinds=certificates.KINDS, today=today(), **values)


def _day(name: str) -> date | None:
    text = request.args.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("日期没有填对。", fields={name: "例如 2026-11-20。"}) from None
