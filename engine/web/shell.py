"""What every page behind the login shows around its content."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Flask, g, request, url_for

from engine.access import notices
from engine.access.actors import Actor
from engine.kernel.clock import SHANGHAI, legal_date
from engine.web import icons, words
from engine.web.context import now, reading, today


@dataclass(frozen=True, kw_only=True)
class Place:
    """One entry of the rail."""

    key: str
    url: str
    icon: str
    word: str


class Shell:
    """Asked by the templates; the unread count is one statement, made when a page shows it."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.login = ""
        self._unread: int | None = None

    @property
    def unread(self) -> int:
        if self._unread is None:
            with reading() as connection:
                self._unread = notices.count_unread(connection, person_id=self.actor.person_id)
        return self._unread

    @property
    def rail(self) -> Sequence[Place]:
        places = [
            Place(key="desk", url=url_for("desk.page"), icon="desk", word="工作台"),
            Place(key="cases", url=url_for("cases.page"), icon="case", word="案件"),
            Place(key="start", url=url_for("start.page"), icon="plus", word="发起"),
            Place(key="clocks", url=url_for("clock_board.page"), icon="clock", word="期限"),
            Place(key="registers", url=url_for("registers.page"), icon="table", word="台账"),
            Place(key="statistics", url=url_for("statistics.page"), icon="chart", word="统计"),
            Place(key="processes", url=url_for("processes.page"), icon="flow", word="流程"),
        ]
        if "operator" in self.actor.rights:
            places.append(Place(key="incidents", url=url_for("incidents.page"), icon="warn", word="异常"))
        if {"admin", "auditor", "security"} & self.actor.rights:
            places.append(Place(key="organisation", url=url_for("admin_organisation.page"), icon="user", word="组织"))
        if {"admin", "auditor", "security"} & self.actor.rights:
            places.append(Place(key="guard", url=url_for("admin_audit.page" if "auditor" in self.actor.rights else "admin_security.page"), icon="shield", word="安全"))
        return places

    @property
    def watermark(self) -> str:
        """A data address with the reader's name and the minute, so that a photographed screen says whose it was."""
        mark = f"{self.actor.name} {now().astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" width="340" height="220"><text x="20" y="150" transform="rotate(-20 20 150)" '
            f'font-family="sans-serif" font-size="15" fill="#000">{_plain(mark)}</text></svg>'
        )
        return "data:image/svg+xml," + quote(svg)


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def here(**changes: Any) -> str:
    """This page's address with some of its query changed; None takes a name out."""
    values: dict[str, Any] = {**request.args.to_dict(flat=False), **(request.view_args or {}), **changes}
    return url_for(str(request.endpoint), **{name: value for name, value in values.items() if value not in (None, "")})


def install(app: Flask) -> None:
    app.context_processor(_values)
    app.jinja_env.globals.update(icon=icons.icon, logo=icons.logo, here=here)
    filters = app.jinja_env.filters
    filters["when"] = lambda value: words.when(value, today=today())
    filters["brief"] = lambda value: words.brief(value, today=today())
    filters["day"] = lambda value: words.day(value, today=today())
    filters["on"] = lambda value: words.on(value, today=today())
    filters["long_on"] = lambda value: words.long_day(legal_date(value))
    for name in ("stamp", "long_day", "weekday", "span", "size", "counted", "figure", "growth"):
        filters[name] = getattr(words, name)


def _values() -> dict[str, Any]:
    found = g.get("actor")
    if found is not None and "shell" not in g:
        g.shell = Shell(found)
    return {"shell": g.get("shell"), "today": today(), "now": now(), "root": url_for("home.page").rstrip("/")}
