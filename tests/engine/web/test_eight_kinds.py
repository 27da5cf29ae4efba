"""Every page, file and list asked by eight kinds of people and by nobody, with the ids of a case in mid-flow."""
from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from engine.access.actors import find_actor_by_login
from engine.access.scope import may_see_case
from engine.storage.tables.organisation import account, post
from engine.web.guard import is_public
from tests.engine.web.test_every_route import House
from tests.town import Town

KINDS = {
    "officer": (True, []), "head": (True, []), "chief": (True, []), "staff": (True, []), "other_officer": (False, []), "keeper": (False, ["admin"]),
    "joint_head": (False, ["security"]), "legal_staff": (False, ["auditor"]),
}
"""Login: (sees the case, global rights). 承办人, 负责人, 局长, 本局科室, 另一个所的承办人, 系统管理员, 安全管理员, 审计员."""
SEATS = {"joint_head": "station_two", "legal_staff": "station_two"}
RIGHTS = {"admin_audit": {"auditor"}, "admin_security": {"auditor", "security", "admin"}, "admin_retention": {"auditor", "security", "admin"}, "admin_requirements": {"auditor", "security", "admin"}, "admin_organisation": {"auditor", "security", "admin"},
          "admin_people": {"auditor", "security", "admin"}, "admin_rights": {"auditor", "security", "admin"}, "admin_why": {"auditor", "security", "admin"}, "admin_usage": {"auditor", "security", "admin"}, "admin_catalogue": {"auditor", "security", "admin"}}
PUBLIC = {"admin_security.root"}


@pytest.fixture
def house(town: Town) -> House:
    """Administrators sit where no post lets them see the case."""
    with town.app.db.begin() as connection:
        for login, (_, rights) in KINDS.items():
            connection.execute(account.update().where(account.c.login == login).values(rights=rights))
        for login, code in SEATS.items():
            connection.execute(post.update().where(post.c.person_id == town.people[login]).values(unit_id=town.units[code], code="officer"))
        connection.execute(post.update().where(post.c.person_id == town.people["keeper"]).values(unit_id=town.units["station_two"], code="officer"))
    return House(town)


def pages(house: House) -> Iterator[tuple[str, str]]:
    """(endpoint, address with the case's ids) of everything that is read."""
    for rule in house.flask.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.rule.startswith("/party") and not rule.endpoint.endswith("static") and not rule.endpoint.startswith("api."):
            yield rule.endpoint, house._address(rule, real=True)


def test_each_kind_reads_its_own_and_nothing_breaks(house: House) -> None:
    broken, leaks, wrong = [], [], []
    title = house.case_words()
    for login, (sees, rights) in KINDS.items():
        actor = house.town.actor(login)
        with house.app.db.connect() as connection:
            assert may_see_case(connection, actor, house.ids["case_id"]) == sees, login
        browser = house.browser(login)
        for endpoint, address in pages(house):
            answer = browser.get(address)
            if answer.status_code >= 500:
                broken.append((login, endpoint, answer.status_code))
            if not sees and not {"auditor", "admin", "security"} & set(rights) and any(word in answer.text for word in title):
                leaks.append((login, endpoint))
            needed = RIGHTS.get(endpoint.partition(".")[0])
            if needed and endpoint not in PUBLIC and not needed & set(rights) and answer.status_code != 403:
                wrong.append((login, endpoint, answer.status_code))
    assert (broken, leaks, wrong) == ([], [], [])


def test_nobody_reads_nothing_behind_the_login(house: House) -> None:
    stranger, open_to_all = house.flask.test_client(), []
    for rule in house.flask.url_map.iter_rules():
        if is_public(house.flask, rule.endpoint) or rule.endpoint.endswith("static"):
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            answer = stranger.open(house._address(rule, real=True), method=method, headers={"X-Guicheng-Fetch": "1"})
            if answer.status_code not in (400, 401, 403) or any(word in answer.text for word in house.case_words()):
                open_to_all.append((rule.endpoint, method, answer.status_code))
    assert open_to_all == []


def test_a_right_taken_away_is_gone_with_the_next_page(house: House) -> None:
    browser = house.browser("legal_staff")
    assert browser.get("/admin/audit").status_code == 200
    with house.app.db.begin() as connection:
        connection.execute(account.update().where(account.c.login == "legal_staff").values(rights=[]))
        assert find_actor_by_login(connection, login="legal_staff", on=house.app.clock.today()) is not None
        assert connection.scalar(select(account.c.rights).where(account.c.login == "legal_staff")) == []
    assert browser.get("/admin/audit").status_code == 403
