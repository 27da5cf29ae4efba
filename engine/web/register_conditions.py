"""高级条件 of a register's list."""
from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from engine.kernel.errors import Invalid
from engine.registers.declaration import Register
from engine.web.condition_tree import Subject, condition_of, draw, opened, pressed
from engine.web.registers import address, asked_of, wanted

blueprint = Blueprint("register_conditions", __name__)


@blueprint.get("/registers/<pack>/<name>/conditions")
def page(pack: str, name: str) -> ResponseReturnValue:
    register, _ = wanted(pack, name)
    return draw(_subject(register, pack, name), opened(asked_of(register).where))


@blueprint.post("/registers/<pack>/<name>/conditions")
def press(pack: str, name: str) -> ResponseReturnValue:
    """One press: add, take away, or look at the list with these conditions."""
    register, _ = wanted(pack, name)
    act, tree = pressed(register)
    if act != "show":
        return draw(_subject(register, pack, name), tree)
    try:
        return redirect(address(pack, name, replace(asked_of(register), where=condition_of(tree, register))))
    except Invalid as problem:
        return draw(_subject(register, pack, name), tree, problem=problem.message), 422


def _subject(register: Register, pack: str, name: str) -> Subject:
    tail = f"?{query}" if (query := asked_of(register).address) else ""
    back = url_for("registers.listed", pack=pack, name=name) + tail
    return Subject(
        register=register, section="registers", crumbs=[(url_for("registers.page"), "台账"), (back, register.title)], back=back,
        action=url_for("register_conditions.press", pack=pack, name=name) + tail, choices={},
    )
