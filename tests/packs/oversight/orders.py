"""An order of 督办 and the way to each of its steps."""
from __future__ import annotations

from datetime import datetime
from typing import Any

from engine.access.actors import find_actor_by_login
from engine.access.staffing import create_account, create_person, give_post
from engine.documents.seals import create_personal_seal, create_unit_seal, grant_seal
from engine.kernel.clock import SHANGHAI, FixedClock, legal_date
from engine.runtime.fire_due_timers import fire_due_timers
from engine.runtime.run_clock_steps import run_clock_steps
from tests.packs.walk import SINCE, UNTIL, Walker

PROCESS = "oversight.supervision"
CHIEFS = (("city_boss", "方砚秋", "CG"), ("a_boss", "江映雪", "CG-A"))


def give_seals(walk: Walker) -> None:
    """The city's bureau and district A get a head each, and the seal that only the head may use."""
    with walk.app.db.begin() as connection:
        for login, name, code in CHIEFS:
            unit = walk.bureau.units[code]
            id = create_person(connection, name=name, pinyin=login, at=walk.at)
            give_post(connection, person_id=id, unit_id=unit, code="bureau_head", title="局长", valid_from=SINCE, main=True)
            create_account(connection, person_id=id, login=login, password_hash="-", at=walk.at, must_change=False)
            seal = create_unit_seal(walk.app, connection, unit_id=unit, kind="unit_official", valid_from=SINCE, valid_until=UNTIL, at=walk.at, demo=True)
            grant_seal(connection, seal_id=seal, valid_from=SINCE, post="bureau_head")
            create_personal_seal(walk.app, connection, person_id=id, pin=None, valid_from=SINCE, valid_until=UNTIL, at=walk.at, demo=True)
            found = find_actor_by_login(connection, login=login, on=legal_date(walk.at))
            assert found is not None
            walk.bureau.actors[login] = found


class Overseer(Walker):
    """A walker that knows the steps of 督办: the city orders district B, or district A its first squad."""

    def order(self, *, level: str = "city", target: str = "CG-B", **changes: Any) -> dict[str, Any]:
        return {
            "subject": "长乐路 12 号屋顶搭建", "level": level, "target": str(self.bureau.units[target]), "reason": "市民多次反映，至今没有处置。",
            "demand": "查明搭建时间和用途，依法处置到位。", "days": 10, **changes,
        }

    def issued(self, *, who: str = "city_staff", chief: str = "city_boss", **order: Any) -> None:
        """Up to the reply."""
        self.start(who, PROCESS, self.order(**order))
        self.do(chief, "sign", "issue")

    def replied(self, kind: str = "final", *, who: str = "b_staff", **issued: Any) -> None:
        """Up to what follows a reply."""
        self.issued(**issued)
        self.reply(kind, who=who)

    def reply(self, kind: str = "final", *, who: str = "b_staff") -> None:
        what = {"result": "已经拆除，现场清理完毕。"} if kind == "final" else {"opinion": "当事人同意自拆，分两步。", "finish_on": "2026-12-18"}
        self.do(who, "reply", "submit", {"reply_kind": kind, "situation": "搭建约十八平方米，二〇二五年十月建成。", **what})

    def check(self, outcome: str, *, who: str = "city_staff", days: int = 5) -> None:
        self.do(who, "site_check", outcome, {
            "checked_on": legal_date(self.at).isoformat(), "checkers": "闻人越、司马青", "check_words": f"现场所见：{outcome}。", "opinion": "见核查情况。", "days": days,
        }, opinion="核查完毕。")

    def table(self, name: str) -> list[dict[str, Any]]:
        """Rows of the pack's register ``name`` on this case, oldest first."""
        with self.app.db.connect() as connection:
            found = connection.exec_driver_sql(f"SELECT * FROM reg.oversight__{name} WHERE case_id = %s ORDER BY created_at, id", (self.case_id,))
            return [dict(row) for row in found.mappings()]

    @property
    def record(self) -> dict[str, Any]:
        (row,) = self.table("oversight_case")
        return row

    def notices(self, login: str) -> list[str]:
        with self.app.db.connect() as connection:
            return list(connection.exec_driver_sql("SELECT text FROM notice WHERE person_id = %s ORDER BY at", (self.actor(login).person_id,)).scalars())

    def wait_until(self, day: str, hour: int = 9) -> None:
        """Let the clock run to ``day``: its reminders and timers."""
        at = datetime.fromisoformat(day).replace(hour=hour, tzinfo=SHANGHAI)
        clock = self.app.clock
        assert isinstance(clock, FixedClock)
        clock.set(at)
        run_clock_steps(self.app, at)
        fire_due_timers(self.app, at)
