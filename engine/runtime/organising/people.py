"""People: added with their first post, seated, moved to another unit, gone; what they hold goes over before."""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, update

from engine.access.actors import Actor, holds_on
from engine.access.organisation import get_person, get_unit
from engine.access.staffing import create_person, deactivate_account, end_post, give_post
from engine.kernel.clock import legal_date
from engine.kernel.errors import Conflict, Invalid, NotFound
from engine.reference.pinyin import pinyin_key
from engine.runtime.application import Application
from engine.runtime.hand_over_all import hand_over_all, held_by
from engine.runtime.organising.perform import ADMIN, Done, perform
from engine.storage.tables.organisation import account, person, post, session

POSTS = {
    "bureau_head": "局长（办案机关负责人）", "unit_head": "所长、中队长（办案机构负责人）", "section_head": "科（处）室负责人", "legal_head": "法制机构负责人",
    "officer": "执法人员（承办人）", "section_staff": "科（处）室工作人员", "legal_staff": "法制审核人员", "archivist": "档案管理员", "clerk": "内勤",
}
"""The posts that are always offered; others that packs name are added by ``posts_offered``."""


@dataclass(frozen=True, kw_only=True)
class Seat:
    """A post as a form asks for it."""

    unit_id: UUID
    code: str
    title: str
    from_on: date
    until_on: date | None = None
    main: bool = False


def add_person(app: Application, *, actor: Actor, name: str, seat: Seat, key: str, at: datetime, phone: str = "") -> UUID | None:
    """Somebody new with a first post; the person's id. Raises Invalid."""

    def do(connection: Connection) -> Done:
        id = create_person(connection, name=name, pinyin=pinyin_key(name.strip(), person=True), at=at, phone=phone.strip(), keys=app.keys)
        words = _seat(connection, id, Seat(**{**vars(seat), "main": True}))
        return Done(text=f"登记人员{name.strip()}，{words}", person_id=id, unit_id=seat.unit_id, result=id)

    return perform(app, actor=actor, right=ADMIN, verb="add_person", key=key, at=at, do=do)


def rename_person(app: Application, *, actor: Actor, person_id: UUID, name: str, reason: str, key: str, at: datetime) -> None:
    """Another name; what was signed before keeps the old one."""

    def do(connection: Connection) -> Done:
        old = get_person(connection, person_id=person_id)
        if not name.strip():
            raise Invalid("请填写姓名。", fields={"name": "请填写姓名。"})
        connection.execute(update(person).where(person.c.id == person_id).values(name=name.strip(), pinyin=pinyin_key(name.strip(), person=True), updated_at=at))
        return Done(text=f"{old.name}更名为{name.strip()}", person_id=person_id)

    perform(app, actor=actor, right=ADMIN, verb="rename_person", key=key, at=at, do=do, reason=reason, why_required=True)


def seat_person(app: Application, *, actor: Actor, person_id: UUID, seat: Seat, reason: str, key: str, at: datetime) -> UUID | None:
    """One more post for somebody who is here. Raises Invalid, Conflict (the very post is held already)."""

    def do(connection: Connection) -> Done:
        who = _active(connection, person_id)
        words = _seat(connection, person_id, seat)
        return Done(text=f"{who.name}任{words}", person_id=person_id, unit_id=seat.unit_id)

    return perform(app, actor=actor, right=ADMIN, verb="seat_person", key=key, at=at, do=do, reason=reason, why_required=True)


def unseat_person(app: Application, *, actor: Actor, post_id: UUID, last_day: date, reason: str, key: str, at: datetime) -> None:
    """A post ends after ``last_day``. Raises Conflict when it is the last one: who goes is transferred or leaves."""

    def do(connection: Connection) -> Done:
        row = connection.execute(select(post).where(post.c.id == post_id)).one_or_none()
        if row is None:
            raise NotFound("没有这个岗位。")
        others = connection.scalar(select(func.count()).select_from(post).where(post.c.person_id == row.person_id, post.c.id != post_id, holds_on(last_day + timedelta(days=1))))
        if not others:
            raise Conflict("这是最后一个岗位。调到别的单位请用“调动”，离开请用“离职”，手上的工作会一起交接。")
        end_post(connection, post_id=post_id, last_day=last_day)
        who, place = get_person(connection, person_id=row.person_id), get_unit(connection, unit_id=row.unit_id)
        return Done(text=f"{who.name}不再任{place.name}{row.title}，最后一天 {last_day}", person_id=row.person_id, unit_id=row.unit_id)

    perform(app, actor=actor, right=ADMIN, verb="unseat_person", key=key, at=at, do=do, reason=reason, why_required=True)


def transfer_person(
    app: Application, *, actor: Actor, person_id: UUID, seat: Seat, to_person_id: UUID | None, reason: str, key: str, at: datetime
) -> None:
    """All posts end the day before ``seat.from_on``, the new one begins; what is held goes to ``to_person_id``.

    Raises Conflict when something is held and nobody is named, or something could not go over.
    """
    actor.require(ADMIN)
    hand_over_first(app, actor=actor, person_id=person_id, to_person_id=to_person_id, reason=reason, key=key, at=at)

    def do(connection: Connection) -> Done:
        who = _active(connection, person_id)
        ended = _end_all(connection, person_id, seat.from_on - timedelta(days=1))
        words = _seat(connection, person_id, Seat(**{**vars(seat), "main": True}))
        return Done(text=f"{who.name}调任{words}", person_id=person_id, unit_id=seat.unit_id, detail={"ended": ended})

    perform(app, actor=actor, right=ADMIN, verb="transfer_person", key=key, at=at, do=do, reason=reason, why_required=True)


def dismiss_person(
    app: Application, *, actor: Actor, person_id: UUID, last_day: date, to_person_id: UUID | None, reason: str, key: str, at: datetime
) -> None:
    """Gone after ``last_day`` (today or before): posts end, the account too, what is held goes to ``to_person_id``."""
    actor.require(ADMIN)
    if last_day > legal_date(at):
        raise Invalid("离职日期不能在今天以后，到那天再办。", fields={"last_day": "填今天或以前的日期。"})
    if person_id == actor.person_id:
        raise Conflict("不能给自己办离职，请另一位系统管理员办理。")
    hand_over_first(app, actor=actor, person_id=person_id, to_person_id=to_person_id, reason=reason, key=key, at=at)

    def do(connection: Connection) -> Done:
        who = _active(connection, person_id)
        ended = _end_all(connection, person_id, last_day)
        connection.execute(update(person).where(person.c.id == person_id).values(active=False, updated_at=at))
        account_id = connection.scalar(select(account.c.id).where(account.c.person_id == person_id))
        if account_id is not None:
            deactivate_account(connection, account_id=account_id, at=at)
        return Done(text=f"{who.name}离职，最后一天 {last_day}", person_id=person_id, detail={"ended": ended})

    perform(app, actor=actor, right=ADMIN, verb="dismiss_person", key=key, at=at, do=do, reason=reason, why_required=True)


def hand_over_first(app: Application, *, actor: Actor, person_id: UUID, to_person_id: UUID | None, reason: str, key: str, at: datetime) -> None:
    """Give what ``person_id`` holds to ``to_person_id``; nothing held is nothing to do."""
    with app.db.connect() as connection:
        held = held_by(connection, person_id)
    if not held.count:
        return
    if to_person_id is None:
        raise Conflict(f"他手上还有待办 {len(held.tasks)} 件、没答复的意见 {len(held.asked)} 件、承办的案件 {len(held.cases)} 件。请选接手人，一起交接。")
    done = hand_over_all(app, actor=actor, from_person_id=person_id, to_person_id=to_person_id, reason=reason, key=f"{key}/hand", at=at)
    if done.refused:
        raise Conflict(f"{len(done.refused)} 件没有交接成，岗位没有变动：{'；'.join(done.refused[:5])}")


def posts_offered(connection: Connection) -> dict[str, str]:
    """{code: title} of all posts there are: the common ones, then what people hold now."""
    rows = connection.execute(select(post.c.code, func.min(post.c.title)).where(post.c.code.not_in(list(POSTS))).group_by(post.c.code).order_by(post.c.code)).all()
    return {**POSTS, **{row[0]: row[1] for row in rows}}


def _active(connection: Connection, person_id: UUID) -> Any:
    who = get_person(connection, person_id=person_id)
    if not who.active:
        raise Conflict(f"{who.name}已离职。")
    return who


def _seat(connection: Connection, person_id: UUID, seat: Seat) -> str:
    place = get_unit(connection, unit_id=seat.unit_id)
    title = seat.title.strip() or posts_offered(connection).get(seat.code, "")
    if not place.active:
        raise Conflict(f"“{place.name}”已撤销，不能安排人员。")
    if not seat.code or not title:
        raise Invalid("请选岗位。", fields={"code": "请选岗位。"})
    if seat.until_on is not None and seat.until_on < seat.from_on:
        raise Invalid("岗位的起止日期写反了。", fields={"until_on": "不能早于开始日期。"})
    same = select(post.c.id).where(post.c.person_id == person_id, post.c.unit_id == seat.unit_id, post.c.code == seat.code, holds_on(seat.from_on))
    if connection.scalar(same):
        raise Conflict(f"他在{place.name}已经是{title}。")
    if seat.main:
        connection.execute(update(post).where(post.c.person_id == person_id).values(main=False))
    give_post(connection, person_id=person_id, unit_id=seat.unit_id, code=seat.code, title=title, valid_from=seat.from_on, valid_until=seat.until_on, main=seat.main)
    return f"{place.name}{title}，{seat.from_on} 起"


def _end_all(connection: Connection, person_id: UUID, last_day: date) -> int:
    open_posts = select(post.c.id, post.c.valid_from).where(post.c.person_id == person_id, (post.c.valid_until.is_(None)) | (post.c.valid_until > last_day))
    rows = connection.execute(open_posts).all()
    for row in rows:
        end_post(connection, post_id=row.id, last_day=max(last_day, row.valid_from - timedelta(days=1)))
    return len(rows)


def end_sessions_of(connection: Connection, *, account_id: UUID) -> int:
    """Sign somebody out everywhere; how many sessions there were."""
    return connection.execute(session.delete().where(session.c.account_id == account_id)).rowcount
