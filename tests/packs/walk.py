"""A district bureau with people in every role, and a walker that takes a case along its diagram as they would."""
from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from engine.access import Actor
from engine.access.actors import find_actor_by_login
from engine.access.staffing import create_account, create_person, create_unit, give_post
from engine.documents.seals import create_personal_seal, create_unit_seal, grant_seal
from engine.kernel.clock import legal_date
from engine.runtime.application import Application
from engine.runtime.complete_task import complete_task
from engine.runtime.return_task import ReturnTarget, return_targets, return_task
from engine.runtime.start_case import start_case, start_matter
from engine.runtime.work import ActResult
from engine.storage.tables.cases import case_clock, case_file, case_link
from engine.storage.tables.documents import document
from engine.storage.tables.runtime import act, incident, task, task_candidate

SINCE, UNTIL = date(2020, 1, 1), date(2030, 12, 31)
UNITS = (
    ("SJ", "city_bureau", None, "上海市市场监督管理局", "沪市监"),
    ("YP", "district_bureau", "SJ", "上海市云浦区市场监督管理局", "沪市监云"),
    ("YP-SP", "section", "YP", "食品科", ""),
    ("YP-ZH", "section", "YP", "综合科", ""),
    ("YP-1", "station", "YP", "云浦区市场监督管理局一所", ""),
    ("YP-2", "station", "YP", "云浦区市场监督管理局二所", ""),
)
PEOPLE = (
    ("officer", "顾明川", "YP-1", "officer", "办案人员"),
    ("second", "许闻笛", "YP-1", "officer", "办案人员"),
    ("office_head", "周启衡", "YP-1", "unit_head", "所长"),
    ("staff", "莫听澜", "YP-SP", "section_staff", "科员"),
    ("section_head", "沈砚秋", "YP-SP", "section_head", "科长"),
    ("joint_staff", "白晓棠", "YP-ZH", "section_staff", "科员"),
    ("joint_head", "罗知远", "YP-ZH", "section_head", "科长"),
    ("agency_head", "秦望舒", "YP", "bureau_head", "局长"),
    ("stranger", "陶一鸣", "YP-2", "officer", "办案人员"),
)


@dataclass
class Bureau:
    """Units by code and actors by login."""

    units: dict[str, UUID] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)


def found_bureau(app: Application, at: datetime) -> Bureau:
    """Make the bureau, its people with signatures, and its two seals, which its head may use."""
    bureau = Bureau()
    with app.db.begin() as connection:
        for code, kind, parent, name, word in UNITS:
            bureau.units[code] = create_unit(
                connection, parent_id=bureau.units[parent] if parent else None, bureau="market_regulation", kind=kind, code=code, name=name,
                short_name=name[-3:], number_word=word, at=at,
            )
        for login, name, unit, post, title in PEOPLE:
            _hire(app, connection, login=login, name=name, unit_id=bureau.units[unit], post=post, title=title, at=at)
        for kind in ("unit_enforcement", "unit_official"):
            seal = create_unit_seal(app, connection, unit_id=bureau.units["YP"], kind=kind, valid_from=SINCE, valid_until=UNTIL, at=at, demo=True)
            grant_seal(connection, seal_id=seal, valid_from=SINCE, post="bureau_head")
        for login, *_ in PEOPLE:
            actor = find_actor_by_login(connection, login=login, on=legal_date(at))
            assert actor is not None
            bureau.actors[login] = actor
    return bureau


def _hire(app: Application, connection: Connection, *, login: str, name: str, unit_id: UUID, post: str, title: str, at: datetime) -> None:
    person_id = create_person(connection, name=name, pinyin=login, at=at)
    give_post(connection, person_id=person_id, unit_id=unit_id, code=post, title=title, valid_from=SINCE, main=True)
    create_account(connection, person_id=person_id, login=login, password_hash="-", at=at, must_change=False)
    create_personal_seal(app, connection, person_id=person_id, pin=None, valid_from=SINCE, valid_until=UNTIL, at=at, demo=True)


class Walker:
    """Acts as the named people on one case. Steps are named by the node as drawn."""

    _keys = itertools.count(1)

    def __init__(self, app: Application, bureau: Bureau) -> None:
        self.app, self.bureau = app, bureau
        self.case_id: UUID | None = None
        self.last: ActResult | None = None

    @property
    def at(self) -> datetime:
        return self.app.clock.now()

    def actor(self, login: str) -> Actor:
        return self.bureau.actors[login]

    def start(self, login: str, process: str, data: Mapping[str, Any], outcome: str = "submit") -> ActResult:
        self.last = start_case(self.app, actor=self.actor(login), process=process, data=data, outcome=outcome, key=self._key(), at=self.at)
        self.case_id = self.last.case_id
        return self.last

    def matter(self, login: str, process: str, data: Mapping[str, Any], outcome: str = "submit") -> ActResult:
        assert self.case_id is not None
        self.last = start_matter(
            self.app, actor=self.actor(login), case_id=self.case_id, process=process, data=data, outcome=outcome, opinion="请审批。", key=self._key(), at=self.at,
        )
        return self.last

    def do(self, login: str, node: str, outcome: str = "approve", data: Mapping[str, Any] | None = None, opinion: str = "同意。") -> ActResult:
        self.last = complete_task(
            self.app, actor=self.actor(login), task_id=self.task(node)["id"], data=data or {}, outcome=outcome, opinion=opinion, key=self._key(), at=self.at,
        )
        return self.last

    def back(self, login: str, node: str, to: str, why: str = "材料不全，请补充。") -> ActResult:
        self.last = return_task(
            self.app, actor=self.actor(login), task_id=self.task(node)["id"], to_node=to, opinion=why, key=self._key(), at=self.at,
        )
        return self.last

    def targets(self, login: str, node: str) -> list[ReturnTarget]:
        return return_targets(self.app, actor=self.actor(login), task_id=self.task(node)["id"])

    def task(self, node: str) -> Mapping[str, Any]:
        """The one open task of ``node`` on the case."""
        rows = [row for row in self._rows(task) if row["status"] == "open" and row["node"] == node]
        assert len(rows) == 1, f"{node}: {len(rows)} open, waiting at {self.waiting()}, incidents {[i['message'] + str(i['detail']) for i in self._rows(incident)]}"
        return rows[0]

    def waiting(self) -> set[str]:
        """Nodes of the open tasks on the case."""
        return {row["node"] for row in self._rows(task) if row["status"] == "open"}

    def holders(self, node: str) -> set[str]:
        """Logins of those who may act on the open task of ``node``."""
        row = self.task(node)
        if row["assignee_id"] is not None:
            return {login for login, actor in self.bureau.actors.items() if actor.person_id == row["assignee_id"]}
        with self.app.db.connect() as connection:
            pairs = {(c.unit_id, c.post) for c in connection.execute(select(task_candidate).where(task_candidate.c.task_id == row["id"]))}
        return {login for login, actor in self.bureau.actors.items() if set(actor.posts) & pairs}

    def case(self, case_id: UUID | None = None) -> Mapping[str, Any]:
        with self.app.db.connect() as connection:
            return connection.execute(select(case_file).where(case_file.c.id == (case_id or self.case_id))).mappings().one()

    def links(self) -> dict[str, UUID]:
        """{kind of link: the case it leads to}."""
        with self.app.db.connect() as connection:
            return {row.kind: row.to_id for row in connection.execute(select(case_link).where(case_link.c.from_id == self.case_id))}

    def documents(self) -> list[Mapping[str, Any]]:
        return self._rows(document)

    def clocks(self) -> list[Mapping[str, Any]]:
        return self._rows(case_clock)

    def acts(self) -> list[Mapping[str, Any]]:
        with self.app.db.connect() as connection:
            return list(connection.execute(select(act).where(act.c.case_id == self.case_id).order_by(act.c.at, act.c.id)).mappings())

    def run_jobs(self) -> None:
        self.app.jobs.run_due(self.app)

    def _rows(self, table: Any) -> list[Mapping[str, Any]]:
        with self.app.db.connect() as connection:
            return list(connection.execute(select(table).where(table.c.case_id == self.case_id).order_by(table.c.id)).mappings())

    def _key(self) -> str:
        return f"walk-{next(self._keys)}"
