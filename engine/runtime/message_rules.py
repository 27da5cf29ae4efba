"""消息规则: when something happens on a case and a condition holds, people get a message with sender, words, trace of reading and room for an answer.

Events are those of the event feed. They are looked at every minute in their order, each once; a rule sees those from its own beginning on.
"""
from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from engine.access import audit
from engine.access.actors import Actor
from engine.expressions import FeelError, compile_expression
from engine.kernel.clock import legal_date
from engine.kernel.errors import Invalid, NotFound
from engine.kernel.ids import new_id
from engine.runtime.application import Application
from engine.runtime.clock_people import people_of
from engine.runtime.queries.events import settled_before
from engine.storage.tables.cases import case_file
from engine.storage.tables.messages import message_cursor, message_rule, message_trace
from engine.storage.tables.organisation import notice, person
from engine.storage.tables.runtime import act, event_feed

log = structlog.get_logger(__name__)
BATCH = 500
_PLACE = re.compile(r"\{([^{}]*)\}")
EVENTS: Mapping[str, str] = {
    "act.start": "发起了流程", "act.complete": "办了一步", "act.return": "退回了一步", "act.timer": "定时到了", "act.message": "收到了外部消息", "act.withdraw": "撤回了一步",
    "act.transfer": "转办了一步", "act.urge": "催办了一步",
}
CATEGORIES: Mapping[str, str] = {"warn": "预警提醒", "system": "系统消息"}
KINDS: Mapping[str, str] = {"warn": "due", "system": "system"}
PEOPLE: Mapping[str, str] = {"handler": "承办人", "holder": "当前步骤的办理人", "office_head": "办案机构负责人", "superior": "上级机关负责人"}
NAMES = ("event", "kind", "state", "process", "node", "step", "outcome", "number", "title", "actor")
PLACES: Mapping[str, str] = {"案件": "title", "编号": "number", "步骤": "step", "结论": "outcome_title", "谁": "actor", "状态": "state_title"}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What an administrator says: ``category`` warn or system, ``event`` a key of EVENTS, ``condition`` FEEL over NAMES, ``receivers``
    keys of PEOPLE or qualified roles, ``text`` with the places of PLACES in braces."""

    title: str
    category: str
    event: str
    case_kind: str
    condition: str
    receivers: Sequence[str]
    sender: str
    text: str


def check_rule(app: Application, rule: Rule) -> None:
    """Raise Invalid naming each field that won't do."""
    wrong: dict[str, str] = {}
    for name, text in (("title", rule.title), ("sender", rule.sender), ("text", rule.text)):
        if not text.strip():
            wrong[name] = "请填写。"
    if rule.category not in CATEGORIES or rule.event not in EVENTS:
        wrong["event"] = "请从列出的里面选。"
    kinds = {name for pack in app.catalogue.packs.values() for name in pack.kinds}
    if rule.case_kind and rule.case_kind not in kinds:
        wrong["case_kind"] = "没有这种案件。"
    if not rule.receivers:
        wrong["receivers"] = "至少选一种接收人。"
    roles = {name for pack in app.catalogue.packs.values() for name in pack.roles}
    if unknown := [name for name in rule.receivers if name not in PEOPLE and name not in roles]:
        wrong["receivers"] = f"没有这个角色：{'、'.join(unknown)}。"
    if rule.condition.strip():
        try:
            unknown = sorted(set(compile_expression(rule.condition, names=NAMES).names) - set(NAMES))
            if unknown:
                wrong["condition"] = f"不认识 {'、'.join(unknown)}；可以用 {'、'.join(NAMES)}。"
        except FeelError as error:
            wrong["condition"] = f"条件写得不对：{error}"
    if set(_PLACE.findall(rule.text)) - set(PLACES):
        wrong["text"] = f"花括号里可以写：{'、'.join(PLACES)}。"
    if wrong:
        raise Invalid("消息规则有不合要求的地方，没有保存。", fields=wrong)


def keep_rule(app: Application, *, actor: Actor, rule: Rule, at: datetime, rule_id: UUID | None = None) -> UUID:
    """A new rule, or a changed one; it holds from now on. Raises Forbidden, Invalid, NotFound."""
    actor.require("admin")
    check_rule(app, rule)
    values = {**vars(rule), "receivers": list(rule.receivers), "by_id": actor.person_id, "at": at, "active": True}
    with app.db.begin() as connection:
        if connection.scalar(select(message_rule.c.id).where(message_rule.c.active).limit(1)) is None:
            _set_cursor(connection, new_id())
        if rule_id is None:
            rule_id = new_id()
            connection.execute(insert(message_rule).values(id=rule_id, **values))
        elif not connection.execute(update(message_rule).where(message_rule.c.id == rule_id).values(**values)).rowcount:
            raise NotFound("没有这条消息规则。")
        audit.note(connection, actor=actor, at=at, action="message.rule", object=str(rule_id), detail={**vars(rule), "receivers": list(rule.receivers)})
    return rule_id


def stop_rule(app: Application, *, actor: Actor, rule_id: UUID, at: datetime) -> None:
    """No further messages by this rule; what was sent and who read it stays."""
    actor.require("admin")
    with app.db.begin() as connection:
        if not connection.execute(update(message_rule).where(message_rule.c.id == rule_id).values(active=False)).rowcount:
            raise NotFound("没有这条消息规则。")
        audit.note(connection, actor=actor, at=at, action="message.stop", object=str(rule_id))


def list_rules(connection: Connection) -> list[Mapping[Any, Any]]:
    return list(connection.execute(select(message_rule).order_by(message_rule.c.active.desc(), message_rule.c.title)).mappings())


def trace_of(connection: Connection, *, rule_id: UUID, limit: int = 50) -> list[Mapping[Any, Any]]:
    """What a rule has sent, newest first: receiver, text, when it was sent and read, and the answer."""
    t = message_trace.c
    return list(connection.execute(
        select(t.notice_id, t.sender, t.feedback, t.feedback_at, t.at, notice.c.text, notice.c.read_at, notice.c.case_id, person.c.name)
        .join(notice, notice.c.id == t.notice_id).join(person, person.c.id == notice.c.person_id).where(t.rule_id == rule_id).order_by(t.at.desc(), t.notice_id).limit(limit)
    ).mappings())


def answers_to(connection: Connection, *, notice_ids: Sequence[UUID]) -> dict[UUID, str]:
    """{notice: the answer given, empty while none is} of those that rules have sent."""
    t = message_trace.c
    return {row.notice_id: row.feedback or "" for row in connection.execute(select(t.notice_id, t.feedback).where(t.notice_id.in_(notice_ids)))}


def answer_message(connection: Connection, *, actor: Actor, notice_id: UUID, words: str, at: datetime) -> None:
    """The receiver answers a message, once; it counts as read then. Raises NotFound, Invalid."""
    t = message_trace.c
    mine = select(notice.c.id).where(notice.c.id == notice_id, notice.c.person_id == actor.person_id)
    if connection.scalar(select(t.notice_id).where(t.notice_id.in_(mine), t.feedback.is_(None)).with_for_update()) is None:
        raise NotFound("没有可以反馈的这条消息，或者已经反馈过。")
    if not words.strip() or len(words) > 500:
        raise Invalid("请写反馈，不超过五百字。", fields={"feedback": "请写反馈，不超过五百字。"})
    connection.execute(update(message_trace).where(t.notice_id == notice_id).values(feedback=words.strip(), feedback_at=at))
    connection.execute(update(notice).where(notice.c.id == notice_id, notice.c.read_at.is_(None)).values(read_at=at))


def apply_rules(app: Application, *, at: datetime) -> int:
    """Look at the events since the last time; how many messages went out. Nothing is read where no rule is in force."""
    with app.db.begin() as connection:
        rules = [row for row in list_rules(connection) if row["active"]]
        last = connection.scalar(select(message_cursor.c.last).where(message_cursor.c.id == 1).with_for_update()) if rules else None
        if last is None:
            return 0
        events = _events(connection, last)
        sent = sum(_send(app, connection, row, event, at) for event in events for row in rules if _meant(row, event))
        if events:
            _set_cursor(connection, events[-1]["event_id"])
        return sent


def _events(connection: Connection, last: UUID) -> list[dict[str, Any]]:
    e, c = event_feed.c, case_file.c
    rows = connection.execute(
        select(e.id.label("event_id"), e.kind.label("event"), e.at.label("event_at"), c.id, c.kind, c.state, c.state_title, c.number, c.title, c.unit_id, c.district_id, c.handler_id,
               act.c.process, act.c.node, act.c.title.label("step"), act.c.outcome, act.c.outcome_title, act.c.actor_name.label("actor"))
        .join(case_file, c.id == e.case_id).outerjoin(act, act.c.id == e.payload["act"].astext.cast(act.c.id.type))
        .where(e.id > last, e.id < settled_before(connection)).order_by(e.id).limit(BATCH)
    ).mappings()
    return [dict(row) for row in rows]


def _meant(row: Mapping[Any, Any], event: Mapping[str, Any]) -> bool:
    if row["event"] != event["event"] or row["at"] > event["event_at"] or (row["case_kind"] and row["case_kind"] != event["kind"]):
        return False
    if not row["condition"].strip():
        return True
    try:
        return compile_expression(row["condition"], names=NAMES).evaluate({name: event[name] for name in NAMES}) is True
    except FeelError:
        log.warning("condition of a message rule", rule=str(row["id"]))
        return False


def _send(app: Application, connection: Connection, row: Mapping[Any, Any], event: Mapping[str, Any], at: datetime) -> int:
    """One notice a receiver, with its trace."""
    text = _PLACE.sub(lambda found: str(event[PLACES[found[1]]] or "") if found[1] in PLACES else found[0], row["text"])
    people = people_of(connection, case=event, names=row["receivers"], clock="platform.message", on=legal_date(at))
    notices = [{"id": new_id(), "person_id": id, "kind": KINDS[row["category"]], "text": f"{text}（{row['sender']}）", "link": "", "case_id": event["id"], "task_id": None, "at": at} for id in people]
    if notices:
        connection.execute(insert(notice), notices)
        connection.execute(insert(message_trace), [{"notice_id": one["id"], "rule_id": row["id"], "event_id": event["event_id"], "sender": row["sender"], "at": at} for one in notices])
    return len(notices)


def _set_cursor(connection: Connection, last: UUID) -> None:
    connection.execute(upsert(message_cursor).values(id=1, last=last).on_conflict_do_update(index_elements=["id"], set_={"last": last}))
