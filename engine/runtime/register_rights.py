"""Who may change the records of a register on its own page."""
from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import Connection

from engine.access.actors import Actor
from engine.access.assignment import candidates
from engine.kernel.errors import Forbidden
from engine.registers.declaration import Register
from engine.registers.granted import is_closed, may, reaches


def may_edit(connection: Connection, *, register: Register, actor: Actor, unit_id: UUID | None, on: date) -> bool:
    """True when the register is edited directly and the actor holds its editors' role for a record of ``unit_id``.

    A register without such a role is kept by the unit that a record belongs to.
    """
    if not register.direct:
        return False
    if reaches(connection, actor, register.name, "edit", unit_id):
        return True
    if is_closed(actor, register.name, "edit"):
        return False
    if register.editors is None:
        return unit_id == actor.unit_id
    pairs = candidates(connection, role=register.editors, case_unit_id=unit_id or actor.unit_id, on=on)
    return not set(actor.posts or ((actor.unit_id, actor.post_code),)).isdisjoint(pairs)


def may_import(connection: Connection, *, register: Register, actor: Actor, on: date) -> bool:
    """True when the actor may bring records of their own unit in from Excel."""
    if register.importable and reaches(connection, actor, register.name, "import", actor.unit_id):
        return True
    if is_closed(actor, register.name, "import"):
        return False
    if register.imports is None:
        return register.creatable and may_edit(connection, register=register, actor=actor, unit_id=actor.unit_id, on=on)
    pairs = candidates(connection, role=register.imports, case_unit_id=actor.unit_id, on=on)
    return not set(actor.posts or ((actor.unit_id, actor.post_code),)).isdisjoint(pairs)


def may_export(register: Register, actor: Actor) -> bool:
    """True when the actor may take the list out as a file: whoever sees it, unless that is left to grants."""
    return may(actor, register.name, "export", default=True)


def require_export(register: Register, actor: Actor) -> None:
    """Raise Forbidden unless ``may_export``."""
    if not may_export(register, actor):
        raise Forbidden(f"“{register.title}”只有得到授权的角色可以导出，请联系安全管理员。")


def require_editor(connection: Connection, *, register: Register, actor: Actor, unit_id: UUID | None, on: date) -> None:
    """Raise Forbidden with what to do instead."""
    if may_edit(connection, register=register, actor=actor, unit_id=unit_id, on=on):
        return
    if register.edit == "process":
        raise Forbidden(f"“{register.title}”要经流程修改，请从“发起”办理。")
    if not register.direct:
        raise Forbidden(f"“{register.title}”由办案自动记入，不能在台账里直接改。")
    raise Forbidden(f"您不负责维护“{register.title}”，没有改动。请找台账管理人。")
