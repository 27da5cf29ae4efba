"""A script typed into every text field of every page that has one is only text, on the page that answers and on every page that shows it."""
from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from engine.kernel.ids import new_id
from engine.registers.catalogue import registers_of
from engine.registers.write_record import write_record
from engine.storage.tables.organisation import account
from tests.browser import Browser
from tests.engine.web.crawl import EVIL, MARK, Reader, alive, links
from tests.engine.web.test_eight_kinds import pages
from tests.engine.web.test_every_route import House
from tests.town import Town

EVERYTHING = ["admin", "security", "auditor", "analyst", "operator", "export", "reveal", "see_all_cases"]
"""No account may hold these together; the crawler does, so that it meets every form with one login."""


@pytest.fixture
def house(town: Town) -> House:
    made = House(town)
    made.ids["person_id"] = town.people["other_officer"]
    return made


class Crawler:
    """Reads pages as an officer with every right; enters anew when a form ended the session it had."""

    def __init__(self, house: House) -> None:
        self.house, self.reader = house, Reader()
        self.browser: Browser = self.enter()
        self.wrong: list[tuple[str, str]] = []
        self.sent: dict[str, int] = {}
        self.shown: set[str] = set()

    def enter(self) -> Browser:
        """A new session of an account as it was at the beginning."""
        with self.house.app.db.begin() as connection:
            whole = {"rights": EVERYTHING, "must_change": False, "active": True, "locked_until": None}
            connection.execute(account.update().where(account.c.login == "officer").values(whole))
        return self.house.browser("officer")

    def judge(self, answer: TestResponse, where: str) -> None:
        if answer.status_code >= 500:
            self.wrong.append((where, f"{answer.status_code} {answer.get_data()[-300:]!r}"))
        if answer.mimetype == "text/html":
            self.wrong += [(where, one) for one in alive(answer.text)]
            if MARK in answer.text:
                self.shown.add(where)
            if MARK in answer.text and "{{7*7}}" not in answer.text and re.search(r"\b49\b", answer.text) and "script&gt;49" in answer.text:
                self.wrong.append((where, "a template ran"))

    def get(self, path: str) -> str:
        answer = self.browser.get(path)
        if answer.status_code == 302 and re.search("/login|/me/password|/me/two-steps", answer.headers.get("Location", "")):
            self.browser = self.enter()
            answer = self.browser.get(path)
        self.judge(answer, path)
        return answer.text if answer.mimetype == "text/html" else ""

    def fill(self, page_text: str, page: str) -> None:
        for form in self.reader.forms(page_text, page):
            values: dict[str, list[str]] = {}
            for name, value in form.values:
                values.setdefault(name, []).append(value)
            for _ in range(2):
                values["csrf"] = [self.browser.csrf]
                answer = self.browser.client.post(form.action, data=values, headers={"Referer": f"http://localhost{page}"})
                if answer.status_code != 401:
                    break
                self.browser = self.enter()
            self.sent[f"{form.action} {','.join(form.texts)}"] = answer.status_code
            self.judge(answer, f"POST {form.action}")

    def walk(self, starts: list[str], kind_of: Callable[[str], str], alike: int) -> list[str]:
        """Read and fill, following links to pages of a kind not read ``alike`` times before; the addresses read."""
        waiting, read = list(dict.fromkeys(starts)), []
        kinds = Counter(kind_of(page) for page in waiting)
        while waiting:
            page = waiting.pop(0)
            found = self.get(page)
            read.append(page)
            if found:
                self.fill(found, page)
                for one in links(found, page):
                    if kinds[kind_of(one)] < alike:
                        kinds[kind_of(one)] += 1
                        waiting.append(one)
        return read

    def by_route(self, page: str) -> str:
        """Pages of one route are alike, but each start and each register has a form of its own."""
        try:
            endpoint, values = self.house.flask.url_map.bind("localhost").match(page.partition("?")[0])
        except HTTPException:
            return page
        return f"{endpoint} {values.get('pack')}.{values.get('name')}" if re.match("start|registers|register_edit", endpoint) else endpoint


def by_words(page: str) -> str:
    """An address without ids, numbers and its question; every name in it makes a kind."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32,}|\d+", "*", page.partition("?")[0])


def test_no_text_of_any_form_becomes_markup(house: House) -> None:
    crawler = Crawler(house)
    read = crawler.walk([address for _, address in pages(house)], crawler.by_route, 1)
    assert crawler.wrong == []
    taken = [where for where, status in crawler.sent.items() if status < 400]
    assert len(read) > 150 and len(crawler.sent) > 40 and len(taken) > 20 and len(crawler.shown) > 100, (len(read), len(crawler.sent), len(taken), len(crawler.shown))


@pytest.mark.prove
def test_no_text_of_any_form_becomes_markup_on_any_page_that_can_be_reached(house: House) -> None:
    crawler = Crawler(house)
    read = crawler.walk([address for _, address in pages(house)], by_words, 2)
    for page in read:
        crawler.get(page)
    assert crawler.wrong == []
    assert len(read) > 800 and len(crawler.sent) > 300 and len(crawler.shown) > 400


def one_record_each(house: House) -> list[str]:
    """A record in every register, with hostile words in every field that takes words; the addresses of its list and its page."""
    found = []
    with house.app.db.begin() as connection:
        for name, (register, table) in registers_of(house.app.library).items():
            id = new_id() if register.case != "own" else house.ids["case_id"]
            values = {one: EVIL for one, field in register.fields.items() if field.type == "text"} | {one: [EVIL] for one, field in register.fields.items() if field.type == "tags"}
            known = connection.execute(text(f'SELECT 1 FROM reg."{table.name}" WHERE id = :id'), {"id": id}).first()
            write_record(
                connection, register=register, table=table, record_id=id, values=values, case_id=house.ids["case_id"] if register.case != "none" else None,
                unit_id=house.town.units["station_one"], district_id=house.town.units["district"], keys=house.app.keys, at=house.app.clock.now(), by_id=None, by_name=EVIL, reason=EVIL,
            )
            base = f"/registers/{name.replace('.', '/')}"
            found += [base, f"{base}/{id}", *([f"{base}/{id}/edit"] if known is None and register.edit == "direct" else [])]
    return found


def poison(house: House) -> int:
    """Every stored text that holds Chinese words, in every table, with the hostile text behind it; how many columns. Codes, ids and content stay."""
    count = 0
    with house.app.db.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        columns = connection.execute(text(
            "SELECT table_name, column_name, data_type FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name) "
            "WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND is_generated = 'NEVER' AND data_type IN ('text', 'jsonb') AND table_name NOT LIKE 'procrastinate%' AND table_name NOT IN ('audit', 'alembic_version', 'definition', 'bundle', 'deployment', 'case_bundle')"
        )).all()
        for table, column, kind in columns:
            words = f"\"{column}\"::text ~ '[一-龥]'"
            if kind == "text":
                changed = f'"{column}" || :evil'
            else:  # behind the first Chinese words of each string of the document that is not a name
                changed = f"regexp_replace(\"{column}\"::text, '(: ?\"[^\"\\\\]*[一-龥][^\"\\\\]*)\"', '\\1' || :json || '\"', 'g')::jsonb"
            given = {"evil": EVIL} if kind == "text" else {"json": EVIL.replace('"', '\\\\"').replace("\\\\\\\\", "\\\\")}
            count += bool(connection.execute(text(f'UPDATE "{table}" SET "{column}" = {changed} WHERE {words}'), given).rowcount)
    return count


def test_hostile_words_that_are_stored_stay_words_on_every_page_that_shows_them(house: House) -> None:
    crawler = Crawler(house)
    of_registers = one_record_each(house)
    columns = poison(house)
    house.app.cache.clear()
    listed: list[Any] = [address for _, address in pages(house)]
    for page in dict.fromkeys([*of_registers, *listed]):
        crawler.get(page)
    assert crawler.wrong == []
    assert columns > 25 and len(crawler.shown) > 150, (columns, len(crawler.shown))
