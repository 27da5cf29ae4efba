"""Nothing a page loads comes from elsewhere: pages, style sheets and scripts name no foreign address that a browser would fetch."""
from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from lxml import html

from engine.kernel.settings import ROOT
from engine.web.flask_app import create_flask
from engine.web.headers import POLICY
from tests.browser import Browser
from tests.engine.runtime.walk import start_clue
from tests.town import Town

LOADS = ("//script/@src", "//link/@href", "//img/@src", "//iframe/@src", "//source/@src", "//video/@src", "//audio/@src", "//object/@data", "//embed/@src", "//form/@action", "//@poster")
STATIC = re.compile(r"""url\(\s*['"]?(https?:)?//|@import\s+['"](https?:)?//|(?:fetch|import|importScripts)\(\s*['"`]https?://|\.src\s*=\s*['"`]https?://""")


def crawl(browser: Browser, start: str, most: int = 120) -> dict[str, Any]:
    """Every page that can be reached by links, as trees."""
    seen: dict[str, Any] = {}
    waiting = [start]
    while waiting and len(seen) < most:
        path = waiting.pop(0)
        if path in seen:
            continue
        answer = browser.get(path)
        seen[path] = None
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        tree = html.fromstring(answer.get_data(as_text=True))
        seen[path] = tree
        for link in tree.xpath("//a/@href"):
            parts = urlsplit(link)
            if not parts.netloc and parts.path.startswith("/") and parts.path not in seen:
                waiting.append(parts.path)
    return seen


@pytest.mark.requirement("NFM-070")
def test_no_page_loads_anything_from_outside(town: Town) -> None:
    start_clue(town)
    flask = create_flask(town.app)
    pages = {path: tree for login in ("officer", "keeper") for path, tree in crawl(Browser(town.app, login, flask=flask), "/desk").items() if tree is not None}
    assert len(pages) > 12
    for path, tree in pages.items():
        for query in LOADS:
            for address in tree.xpath(query):
                assert not urlsplit(address).netloc and not address.startswith(("http:", "//")), (path, address)


@pytest.mark.requirement("NFM-070")
def test_no_style_sheet_or_script_of_ours_fetches_from_outside_and_the_policy_forbids_it() -> None:
    files = [*(ROOT / "engine/web/front").rglob("*.css"), *(ROOT / "engine/web/front").rglob("*.js"), *(ROOT / "engine/web/static").rglob("*.css")]
    assert len(files) > 20
    for file in files:
        if "node_modules" not in file.parts:
            assert not STATIC.search(file.read_text(errors="replace")), file
    assert "http" not in POLICY and "*" not in POLICY and "default-src 'self'" in POLICY
