"""组织 in the browser: units, people, posts, certificates, accounts, hand-over; by the administrator only, once per key, on record."""
from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from engine.access import integrity
from engine.access.tokens import create_token
from engine.runtime.hand_over_all import held_by
from engine.storage.tables.organisation import account, audit, person, post, unit
from engine.storage.tables.organising import organisation_act
from engine.web.flask_app import create_flask
from tests.browser import Browser
from tests.engine.runtime.walk import start_clue
from tests.town import Town

UNITS, PEOPLE = "/admin/organisation/units", "/admin/organisation/people"


class Office:
    """The town with one of each administrator."""

    def __init__(self, town: Town) -> None:
        self.town, self.app, self.flask = town, town.app, create_flask(town.app)
        self.today = town.app.clock.today()
        with town.app.db.begin() as connection:
            for login, right in (("keeper", "admin"), ("staff", "security"), ("joint_staff", "auditor")):
                connection.execute(account.update().where(account.c.login == login).values(rights=[right]))
        self.admin, self.security, self.auditor = (self.browser(login) for login in ("keeper", "staff", "joint_staff"))

    def browser(self, login: str) -> Browser:
        return Browser(self.app, login, flask=self.flask)

    def token(self, login: str) -> str:
        with self.app.db.begin() as connection:
            who = connection.execute(select(account.c.id, post.c.id).join(post, post.c.person_id == account.c.person_id).where(account.c.login == login)).one()
            return create_token(connection, account_id=who[0], post_id=who[1], title="核对", days=1, at=self.app.clock.now())[1]

    def one(self, statement: Any) -> Any:
        with self.app.db.connect() as connection:
            return connection.execute(statement).one()

    def all(self, statement: Any) -> list[Any]:
        with self.app.db.connect() as connection:
            return list(connection.scalars(statement))


@pytest.fixture
def office(town: Town) -> Office:
    return Office(town)


def test_units_are_set_up_renamed_moved_and_closed(office: Office) -> None:
    district, admin, day = office.town.units["district"], office.admin, str(office.today)
    sent = {"parent": district, "kind": "branch", "name": "东滩派出机构", "code": "dongtan", "key": "unit-new-1"}
    for _ in range(2):
        assert admin.post(UNITS, sent).status_code == 303
    made = office.one(select(unit).where(unit.c.code == "dongtan"))
    assert (made.kind, made.district_id, made.bureau) == ("branch", district, "market_regulation")
    assert admin.post(UNITS, {**sent, "key": "unit-new-2"}).status_code == 409
    assert admin.post(UNITS, {"parent": made.id, "kind": "street", "name": "汀兰街道", "code": "tinglan", "key": "unit-new-3"}).status_code == 303
    path, moves = f"{UNITS}/{made.id}", office.town.units["station_one"]
    assert admin.post(f"{path}/rename", {"name": "东滩分局", "from_on": day, "key": "unit-re-0001"}).status_code == 422
    assert admin.post(f"{path}/rename", {"name": "东滩分局", "from_on": str(office.today + timedelta(days=1)), "reason": "编办批复", "key": "unit-re-2"}).status_code == 422
    assert admin.post(f"{path}/rename", {"name": "东滩分局", "short_name": "东滩", "from_on": day, "reason": "编办批复", "kind": "branch", "key": "unit-re-3"}).status_code == 303
    assert admin.post(f"{path}/move", {"parent": office.all(select(unit.c.id).where(unit.c.code == "tinglan"))[0], "reason": "划转", "key": "unit-mv-1"}).status_code == 409
    assert admin.post(f"{path}/move", {"parent": moves, "reason": "划转", "key": "unit-mv-2"}).status_code == 303
    assert office.one(select(unit.c.path).where(unit.c.code == "tinglan")).path == "city/district/station_one/dongtan/tinglan/"
    page = admin.get(path).get_data(as_text=True)
    assert "东滩派出机构" in page and "编办批复" in page and "还有1 个下属单位" in page
    assert admin.post(f"{path}/close", {"reason": "撤并", "key": "unit-cl-1"}).status_code == 409
    below = office.all(select(unit.c.id).where(unit.c.code == "tinglan"))[0]
    for id in (below, made.id):
        assert admin.post(f"{UNITS}/{id}/close", {"reason": "撤并", "key": f"close-{id}"}).status_code == 303
    assert "已撤销" in admin.get("/admin/organisation?closed=1").get_data(as_text=True)
    assert "东滩" not in admin.get("/admin/organisation").get_data(as_text=True)
    told = office.all(select(audit.c.action).where(audit.c.action.like("organisation.%")))
    assert sorted(set(told)) == ["organisation.add_unit", "organisation.close_unit", "organisation.move_unit", "organisation.rename_unit"]


def test_a_unit_with_cases_stays_in_its_district(office: Office) -> None:
    start_clue(office.town)
    admin, city = office.admin, office.town.units["city"]
    answer = admin.post(f"{UNITS}/{office.town.units['station_one']}/move", {"parent": city, "reason": "划转", "key": "move-cases-1"})
    assert answer.status_code == 409 and "有案件" in answer.get_data(as_text=True)
    assert admin.post(f"{UNITS}/{office.town.units['station_two']}/move", {"parent": city, "reason": "划转", "key": "move-empty-1"}).status_code == 303
    assert office.one(select(unit.c.path, unit.c.district_id).where(unit.c.code == "station_two")) == ("city/station_two/", None)


def test_people_hold_posts_from_day_to_day(office: Office) -> None:
    admin, day = office.admin, str(office.today)
    answer = admin.post(PEOPLE, {"name": "纪晓岚", "unit": office.town.units["station_one"], "code": "officer", "from_on": day, "key": "person-1-new"})
    assert answer.status_code == 303
    id = office.all(select(person.c.id).where(person.c.name == "纪晓岚"))[0]
    path = f"{PEOPLE}/{id}"
    assert "jixiaolan" in office.all(select(person.c.pinyin).where(person.c.id == id))[0].replace(" ", "")
    opened = admin.post(f"{path}/account/open", {"login": "ji.xiaolan", "key": "account-new-1"})
    password = re.search(r'class="mono">([^<]+)<', opened.get_data(as_text=True))
    assert opened.status_code == 200 and password
    assert admin.post(f"{path}/account/open", {"login": "ji.xiaolan", "key": "account-new-1"}).status_code in (200, 303)
    seat = {"unit": office.town.units["station_two"], "code": "officer", "from_on": day, "until_on": day, "reason": "顶班", "key": "seat-person-1"}
    assert admin.post(f"{path}/seat", seat).status_code == 303
    assert admin.post(f"{path}/seat", {**seat, "key": "seat-person-2"}).status_code == 409
    ji = office.browser("ji.xiaolan")
    assert ji.get("/me/posts").headers["Location"].endswith("/me/password")
    with office.app.db.connect() as connection:
        from engine.access.actors import find_actor_by_login

        now, later = (find_actor_by_login(connection, login="ji.xiaolan", on=office.today + timedelta(days=n)) for n in (0, 1))
    assert now and later and len(now.posts) == 2 and len(later.posts) == 1
    mine = office.all(select(post.c.id).where(post.c.person_id == id, post.c.main))[0]
    assert admin.post(f"{path}/certificate", {"kind": "enforcement", "number": "09009999", "from_on": day, "until_on": str(office.today + timedelta(days=30)), "key": "card-person-1"}).status_code == 303
    assert "还有 30 天到期" in admin.get(path).get_data(as_text=True) and "纪晓岚" in admin.get("/admin/organisation").get_data(as_text=True)
    assert admin.post(f"{path}/certificate", {"kind": "inspector", "number": "督0001", "from_on": day, "key": "card-person-2"}).status_code == 303
    assert admin.post(f"{path}/certificate", {"kind": "enforcement", "number": "09000000", "from_on": day, "key": "card-person-3"}).status_code == 422
    assert admin.post(f"{path}/unseat", {"post": mine, "last_day": day, "reason": "轮岗", "key": "unseat-1-one"}).status_code == 409
    with office.app.db.connect() as connection:
        assert integrity.check(connection, office.app.keys) == []


def test_who_goes_hands_everything_over(office: Office) -> None:
    start_clue(office.town)
    officer, admin, day = office.town.people["officer"], office.admin, str(office.today)
    path = f"{PEOPLE}/{officer}"
    page = admin.get(path).get_data(as_text=True)
    assert "承办" in page and "手上有待办" in page
    leave = {"last_day": day, "reason": "退休", "key": "leave-person-1"}
    refused = admin.post(f"{path}/leave", leave)
    assert refused.status_code == 409 and "请选接手人" in refused.get_data(as_text=True)
    assert 'open><summary>离职' in refused.text and 'value="退休"' in refused.text
    for _ in range(2):
        assert admin.post(f"{path}/leave", {**leave, "people": office.town.people["officer_two"]}).status_code == 303
    with office.app.db.connect() as connection:
        assert held_by(connection, officer).count == 0 and held_by(connection, office.town.people["officer_two"]).count
        assert connection.execute(select(account.c.active).where(account.c.person_id == officer)).scalar_one() is False
        assert connection.scalar(select(func.count()).select_from(organisation_act).where(organisation_act.c.verb == "dismiss_person")) == 1


def test_a_transfer_ends_the_old_posts_the_day_before(office: Office) -> None:
    head = office.town.people["other_head"]
    sent = {"unit": office.town.units["station_one"], "code": "officer", "from_on": str(office.today), "reason": "交流", "key": "transfer-1"}
    assert office.admin.post(f"{PEOPLE}/{head}/transfer", sent).status_code == 303
    with office.app.db.connect() as connection:
        rows = connection.execute(select(post.c.code, post.c.valid_until, post.c.main).where(post.c.person_id == head).order_by(post.c.valid_from)).all()
    assert [tuple(row) for row in rows] == [("unit_head", office.today - timedelta(days=1), False), ("officer", None, True)]


def test_three_officers_exclude_one_another(office: Office) -> None:
    chief = office.town.people["chief"]
    path, give = f"{PEOPLE}/{chief}", {"reason": "任命", "rights": ["admin", "security"]}
    assert office.admin.post(f"{path}/rights", {**give, "key": "rights-1-admin"}).status_code == 403
    both = office.security.post(f"{path}/rights", {**give, "key": "rights-1-sec"})
    assert both.status_code == 422 and "三员分立" in both.get_data(as_text=True)
    assert office.security.post(f"{path}/rights", {"reason": "任命", "rights": ["auditor", "export"], "key": "rights-2-sec"}).status_code == 303
    assert office.security.post(f"{PEOPLE}/{office.town.people['staff']}/rights", {"reason": "自己", "rights": ["admin"], "key": "rights-3-sec"}).status_code == 403
    refused = office.admin.post(f"{path}/account/reset", {"reason": "忘了", "key": "reset-guard-1"})
    assert refused.status_code == 403
    assert office.security.post(f"{path}/account/reset", {"reason": "忘了", "key": "reset-guard-2"}).status_code == 200
    assert "改沈砚秋的权限" in office.auditor.get(path).get_data(as_text=True)
    for verb in ("lock", "unlock", "end", "restore"):
        assert office.admin.post(f"{PEOPLE}/{office.town.people['officer']}/account/{verb}", {"reason": "核查", "key": f"account-{verb}"}).status_code == 303


def test_who_has_no_such_right_sees_and_changes_nothing(office: Office) -> None:
    stranger, officer = office.browser("officer_two"), office.town.people["officer"]
    for path in ("/admin/organisation", f"{UNITS}/{office.town.units['district']}", PEOPLE, f"{PEOPLE}/{officer}"):
        assert stranger.get(path).status_code == 403
        assert office.auditor.get(path).status_code == 200
    assert office.auditor.post(f"{PEOPLE}/{officer}/leave", {"last_day": str(office.today), "reason": "退休", "key": "leave-auditor"}).status_code == 403
    with office.app.db.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM organisation_act")) == 0
