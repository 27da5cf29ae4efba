"""A running platform with a real browser in front of it: the small town, a WSGI server in a thread, headless Chromium."""
from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.journeys.office import Office
from tests.packs.squads import _squads_template, squads
from tests.town import Town

__all__ = ["_squads_template", "squads"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser of the system. It ends with its module: while it lives, its event loop runs in this thread and nobody else may start one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_program(), args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


def _program() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise FileNotFoundError("These tests need Chromium; ./test installs it on Debian.")


@pytest.fixture
def office(town: Town, chromium: Browser) -> Iterator[Office]:
    """The town at its screens. At the end nobody may have met an error in a page's script or a refused resource."""
    opened = Office(town, chromium)
    opened.open()
    yield opened
    opened.close()
    assert opened.troubles == []
