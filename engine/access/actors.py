"""The signed-in person in one post, as every act and every query sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Connection, Date, Row, Select, and_, bindparam, exists, func, or_, select

from engine.access.exclusive import EXCLUSIVE
from engine.access.held_grants import Grant, held_grants, read_grants
from engine.kernel.errors import Forbidden
from engine.storage.tables.organisation import account, person, post, unit
from engine.storage.tables.runtime import deputy

LEADER_POSTS = frozenset({"unit_head", "section_head", "bureau_head", "legal_head"})
SECTION_POSTS = frozenset({"section_staff", "legal_staff", "clerk", "archivist"})
SECTION_KINDS = frozenset({"section", "legal_section", "demolition_office", "city_demolition_office"})
SEE_ALL = "see_all_cases"
RIGHTS: Mapping[str, str] = {
    "admin": "系统管理：单位、人员、岗位、证件、账号",
    "analyst": "流程设计：修改和发布流程、表单、文书",
    "operator": "运行值守：查看、重试、跳过异常",
    SEE_ALL: "查看全部案件",
    "messages": "外部系统：经接口推送线索等消息",
    "auditor": "安全审计：查看审计记录、下载与打印痕迹，处理安全告警",
    "security": "安全管理：权限、角色、密钥、保管期限、销毁、权限数据核对",
    "export": "导出案件：可离线核验的案件文件",
    "reveal": "查看遮掩的证件号码、电话",
}


@dataclass(frozen=True, kw_only=True)
class Actor:
    """One person acting in one post. ``posts`` are all (unit id, post code) pairs the person holds on ``on``.

    ``district_id`` is the district bureau's unit id, None at city level. ``unit_path`` is unit codes from the root, each
    followed by "/". ``on`` is the legal date the actor was loaded for; None treats every dated grant as ended.
    ``rights`` are those of the account and those that a role in force gives; ``grants`` is what roles say about registers and fields.
    ``party_id`` is set for somebody outside the offices who acts for this party: such an actor holds no post. ``stands_in`` is False for
    who is nobody's deputy on ``on``.
    """

    account_id: UUID
    person_id: UUID
    name: str
    post_id: UUID
    post_code: str
    post_title: str
    unit_id: UUID
    unit_name: str
    unit_kind: str
    unit_path: str
    district_id: UUID | None
    bureau: str
    posts: tuple[tuple[UUID, str], ...] = ()
    rights: frozenset[str] = frozenset()
    on: date | None = None
    must_change: bool = False
    grants: frozenset[Grant] = frozenset()
    party_id: UUID | None = None
    stands_in: bool = True

    @property
    def sees_everything(self) -> bool:
        return SEE_ALL in self.rights

    @property
    def agency_path(self) -> str:
        """Path of the bureau that this actor's section belongs to; the unit's own path elsewhere."""
        if self.unit_kind not in SECTION_KINDS:
            return self.unit_path
        return self.unit_path.rstrip("/").rpartition("/")[0] + "/"

    def require(self, right: str) -> None:
        """Raise Forbidden unless the actor holds ``right``."""
        if right not in self.rights:
            raise Forbidden(f"您没有“{RIGHTS.get(right, right)}”的权限，请联系管理员。", right=right)


def holds_on(on: date | BindParameter[date]) -> ColumnElement[bool]:
    """The condition that a ``post`` row is held on ``on`` (both ends included)."""
    return and_(post.c.valid_from <= on, or_(post.c.valid_until.is_(None), post.c.valid_until >= on))


def actor_query(on: date | BindParameter[date]) -> Select[Any]:
    """Every (account, post) pair in force on ``on`` as the columns that ``actor_of`` reads; callers add what picks one."""
    other = post.alias("other")
    posts = (
        select(func.json_agg(func.json_build_array(other.c.unit_id, other.c.code)))
        .where(other.c.person_id == person.c.id, other.c.valid_from <= on, or_(other.c.valid_until.is_(None), other.c.valid_until >= on))
        .correlate(person)
        .scalar_subquery()
    )
    return (
        select(
            account.c.id.label("account_id"),
            account.c.rights,
            account.c.must_change,
            person.c.id.label("person_id"),
            person.c.name,
            post.c.id.label("post_id"),
            post.c.code.label("post_code"),
            post.c.title.label("post_title"),
            unit.c.id.label("unit_id"),
            unit.c.name.label("unit_name"),
            unit.c.kind.label("unit_kind"),
            unit.c.path.label("unit_path"),
            unit.c.district_id,
            unit.c.bureau,
            posts.label("posts"),
            held_grants(on).label("grants"),
            _stands_in(on).label("stands_in"),
        )
        .select_from(account.join(person, person.c.id == account.c.person_id).join(post, post.c.person_id == person.c.id).join(unit))
        .where(account.c.active, person.c.active, unit.c.active, holds_on(on))
    )


def _stands_in(on: date | BindParameter[date]) -> ColumnElement[bool]:
    """True when the person is somebody's deputy on ``on``."""
    given = (deputy.c.deputy_id == person.c.id, deputy.c.from_on <= on, deputy.c.until_on >= on, deputy.c.ended_at.is_(None))
    return exists(select(deputy.c.id).where(*given).correlate(person))


def actor_of(row: Row[Any] | Mapping[str, Any], on: date) -> Actor:
    """The Actor in a row of ``actor_query``."""
    values = row if isinstance(row, Mapping) else row._mapping
    grants = read_grants(values["grants"])
    given = {grant.object for grant in grants if grant.kind == "function"} - EXCLUSIVE
    return Actor(
        **{name: values[name] for name in _COPIED},
        posts=tuple(sorted(((UUID(unit_id), code) for unit_id, code in values["posts"]), key=str)),
        rights=frozenset(values["rights"]) | given,
        grants=grants,
        on=on,
    )


_COPIED = (
    "account_id",
    "person_id",
    "name",
    "post_id",
    "post_code",
    "post_title",
    "unit_id",
    "unit_name",
    "unit_kind",
    "unit_path",
    "district_id",
    "bureau",
    "must_change",
    "stands_in",
)


def load_actor(connection: Connection, account_id: UUID, post_id: UUID | None, on: date) -> Actor:
    """The person of ``account_id`` in ``post_id`` (None: the main post) on legal date ``on``, in one statement.

    Raises Forbidden when account, person, post or unit is not in force on that day.
    """
    statement, values = (_MAIN, {}) if post_id is None else (_IN_POST, {"post": post_id})
    row = connection.execute(statement, {"on": on, "account": account_id, **values}).one_or_none()
    if row is None:
        raise Forbidden("您的账号或岗位已停用，请联系本单位管理员。", code="post_ended")
    return actor_of(row, on)


def find_actor_by_login(connection: Connection, *, login: str, on: date) -> Actor | None:
    """The person with ``login`` in their main post, or None. For commands, tests and the demo city; no password is asked."""
    row = connection.execute(_BY_LOGIN, {"on": on, "login": login}).one_or_none()
    return None if row is None else actor_of(row, on)


# Built once: the statement is long, and every sign-in asks it.
_ANY = actor_query(bindparam("on", type_=Date)).order_by(post.c.main.desc(), post.c.id).limit(1)
_MAIN = _ANY.where(account.c.id == bindparam("account", type_=account.c.id.type))
_IN_POST = _MAIN.where(post.c.id == bindparam("post", type_=post.c.id.type))
_BY_LOGIN = _ANY.where(account.c.login == bindparam("login", type_=account.c.login.type))
