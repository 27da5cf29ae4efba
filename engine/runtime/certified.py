"""Certificates that a diagram asks of whoever does a step: ``gc:certificate`` of the user task, else of its process."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from engine.access.certificates import holders
from engine.kernel.certificate_kinds import KINDS
from engine.kernel.errors import Forbidden
from engine.runtime.application import Application
from engine.runtime.nodes import process_of
from engine.runtime.work import Work

HOW = "请转给持证的同事办；证件已经办好的，请系统管理员在“组织—人员”里登记。"


def certificates_asked(app: Application, instance: Mapping[str, Any], task: Mapping[str, Any]) -> list[str]:
    """Kinds of certificates, in the order of the diagram; none where it says nothing."""
    process = process_of(app, dict(instance), task["process"])
    words = process.nodes[task["node"]].attributes.get("certificate")
    return (process.model.attributes.get("certificate", "") if words is None else words).split()


def lacking(connection: Connection, *, kinds: Sequence[str], person_id: UUID, on: date) -> list[str]:
    """Why somebody may not do a step that asks for ``kinds``, one reason for each that is missing; a statement for each kind."""
    found = [holders(connection, people=[person_id], on=on, kind=kind)[0] for kind in kinds]
    return [one.why for one in found if one.number is None]


def require_certified(work: Work) -> None:
    """Raise Forbidden when whoever acts lacks a certificate that the step at hand asks for; a deputy acts with their own."""
    assert work.task is not None and work.actor is not None
    kinds = certificates_asked(work.app, work.instance, work.task)
    if kinds and (why := lacking(work.connection, kinds=kinds, person_id=work.actor.person_id, on=work.today)):
        raise Forbidden(f"“{work.task['title']}”要由持有效{told(kinds)}的人办理，您{'；'.join(why)}。{HOW}", code="no_certificate")


def require_certified_receiver(work: Work, *, person_id: UUID, name: str) -> None:
    """As ``require_certified``, for a colleague who is to do the step from now on."""
    assert work.task is not None
    kinds = certificates_asked(work.app, work.instance, work.task)
    if kinds and (why := lacking(work.connection, kinds=kinds, person_id=person_id, on=work.today)):
        raise Forbidden(f"“{work.task['title']}”要由持有效{told(kinds)}的人办理，{name}{'；'.join(why)}。请另选一位同事。", code="no_certificate")


def told(kinds: Sequence[str]) -> str:
    """Kinds of certificates in words."""
    return "、".join(KINDS.get(kind, kind) for kind in kinds)
