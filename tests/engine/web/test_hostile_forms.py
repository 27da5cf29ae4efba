"""Every form of every page that can be reached, sent back with what no field of it takes: numbers that are none, days that are none, names of others, far too much."""
from __future__ import annotations

import re

import pytest
from werkzeug.test import TestResponse

from engine.storage.tables.organisation import account
from tests.engine.web.crawl import Form, parse
from tests.engine.web.test_eight_kinds import pages
from tests.engine.web.test_every_route import NOWHERE, House
from tests.engine.web.test_hostile_requests import LEAKS
from tests.engine.web.test_scripts_in_fields import EVERYTHING, Crawler
from tests.town import Town

ODD = ("-1", "1e999", "NaN", "９", "99999999999999999999999999", "2026-02-30", "9999-12-31", "0000-00-00", NOWHERE, "../../etc/passwd", "{\"a\": [", "=cmd|' /C calc'!A0", "\U0001f600\u202e\ufeff", " ", "x" * 200_000, "%s%n", "1' OR '1'='1", "on")
UNSAFE = re.compile(r"/logout|/me/password|/sessions|/me/two-steps|/me/post\b|/login")


class Fuzzer(Crawler):
    """Fills forms with odd values instead of scripts."""

    many = 3

    def fill(self, page_text: str, page: str) -> None:
        for one in parse(page_text).iter("form"):
            action = str(one.get("hx-post") or one.get("action") or page)
            names = [str(field.get("name")) for field in one.iter("input", "textarea", "select", "button") if field.get("name") and field.get("type") != "file"]
            form = Form(page=page, action=action.partition("?")[0], values=[], texts=tuple(sorted(set(names))))
            if (one.get("method") or "get").lower() != "post" or form.key in self.reader.seen or UNSAFE.search(form.action):
                continue
            self.reader.seen.add(form.key)
            for turn in range(self.many):
                self.send(form, len(self.reader.seen) * 5 + turn * 7)

    def send(self, form: Form, start: int) -> None:
        values = {name: ODD[(start + place) % len(ODD)] for place, name in enumerate(form.texts) if name != "csrf"}
        answer = self.post(form, values)
        if answer.status_code == 401:
            self.browser = self.enter()
            answer = self.post(form, values)
        self.sent[f"{form.action} {start}"] = answer.status_code
        if answer.status_code >= 500 or (answer.mimetype in ("text/html", "application/json") and LEAKS.search(re.sub(r"etc/passwd", "", answer.text))):
            self.wrong.append((f"POST {form.action}", f"{answer.status_code} { {name: value[:30] for name, value in values.items()} }"))

    def post(self, form: Form, values: dict[str, str]) -> TestResponse:
        return self.browser.client.post(form.action, data={**values, "csrf": self.browser.csrf}, headers={"Referer": "http://localhost/"})


@pytest.mark.prove
def test_no_form_breaks_on_values_that_it_does_not_take(town: Town) -> None:
    house = House(town)
    with town.app.db.begin() as connection:
        connection.execute(account.update().where(account.c.login == "officer").values(rights=EVERYTHING))
    fuzzer = Fuzzer(house)
    fuzzer.walk([address for _, address in pages(house)], fuzzer.by_route, 1)
    assert fuzzer.wrong == []
    assert len(fuzzer.sent) > 150
