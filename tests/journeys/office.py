"""The office: a server that can be stopped and started again, and people who sit in front of pages."""
from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Response, expect
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from engine.web.flask_app import create_flask
from tests.town import PASSWORD, Town

WIDE, NARROW = (1440, 900), (390, 844)
# What a browser reports for answers that are meant: refused forms, ended sessions, steps that somebody else did.
MEANT = {401, 409, 422}


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        """Requests are not printed."""


@dataclass
class Office:
    """``sit(login)`` opens a browser of one's own and signs in on the login page."""

    town: Town
    browser: Browser
    troubles: list[str] = field(default_factory=list)
    _server: BaseWSGIServer | None = None
    _pages: dict[tuple[str, int], Desk] = field(default_factory=dict)
    _port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def open(self) -> None:
        """Start the server, at the address it had before if it ran before."""
        if not self._port:
            self._server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=_Quiet)
            self._port = self._server.server_port
            self._server.server_close()
        self.town.app.settings = replace(self.town.app.settings, public_url=self.url)
        self._server = make_server("127.0.0.1", self._port, create_flask(self.town.app), threaded=True, request_handler=_Quiet)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def shut(self) -> None:
        """Stop the server; what it only had in memory is gone."""
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def close(self) -> None:
        for desk in self._pages.values():
            desk.page.context.close()
        self.shut()

    def work(self) -> None:
        """Let the background jobs run until none is left; beside the browser's event loop, hence in a thread."""
        with ThreadPoolExecutor(max_workers=1) as apart:
            apart.submit(self.town.app.jobs.run_due, self.town.app).result()

    def stranger(self, size: tuple[int, int] = WIDE) -> Page:
        """A page of somebody without an account."""
        context = self.browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="zh-CN", timezone_id="Asia/Shanghai")
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: self.troubles.append(f"{page.url}: {error}"))
        page.on("console", lambda message: self._note(page, message.type, message.text))
        page.on("response", self._look)
        return page

    def sit(self, login: str, size: tuple[int, int] = WIDE) -> Desk:
        """The desk of ``login``, signed in; the same one when asked again."""
        if (login, size[0]) not in self._pages:
            desk = Desk(self, login, self.stranger(size))
            desk.sign_in()
            self._pages[login, size[0]] = desk
        return self._pages[login, size[0]]

    def _note(self, page: Page, kind: str, text: str) -> None:
        told = re.search(r"status of (\d+)", text)
        if kind in ("error", "warning") and not (told and int(told[1]) in MEANT) and "ERR_CONNECTION" not in text:
            self.troubles.append(f"{page.url}: {text}")

    def _look(self, response: Response) -> None:
        if response.status >= 400 and response.status not in MEANT:
            self.troubles.append(f"{response.status} {response.url}")


@dataclass
class Desk:
    """One person in front of one page."""

    office: Office
    login: str
    page: Page

    def sign_in(self) -> None:
        self.page.goto(f"{self.office.url}/login")
        self.page.get_by_label("账号", exact=True).fill(self.login)
        self.page.get_by_label("密码", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="登录", exact=True).click()
        expect(self.page).to_have_url(re.compile("/desk$"))

    def sign_out(self) -> None:
        self.page.locator(".who > summary").click()
        self.page.get_by_role("button", name="退出登录").click()
        expect(self.page).to_have_url(re.compile("/login"))

    def visit(self, path: str) -> Desk:
        self.page.goto(f"{self.office.url}{path}")
        return self

    def take(self, title: str) -> Desk:
        """Open the row of the work desk that carries ``title``."""
        self.visit("/desk")
        self.page.locator(".q").filter(has_text=title).locator("a.t").click()
        expect(self.page.locator("#work")).to_be_visible()
        self.page.wait_for_load_state()
        return self

    def choose(self, field: str, typed: str) -> None:
        """Pick the first entry that ``typed`` finds in the picker of ``field``."""
        self.page.locator(f"[data-field={field}] [role=combobox]").fill(typed)
        self.page.locator("[role=option]:visible").first.click()

    def say(self, opinion: str) -> None:
        self.page.locator("#work textarea[name=opinion]").fill(opinion)

    def button(self, words: str) -> Locator:
        """The act button that starts with ``words``."""
        return self.page.locator(".outcomes").get_by_role("button", name=re.compile(f"^{re.escape(words)}"))

    def press(self, words: str) -> Desk:
        """Press an act button, confirm when asked, and wait for what the page says was done."""
        with self.page.expect_navigation():
            self.button(words).click()
            if self.page.locator("dialog[open]").count():
                self.page.locator("dialog[open] button[value=yes]").click()
        expect(self.page.locator(".note-bar.ok")).to_contain_text("已提交")
        return self
