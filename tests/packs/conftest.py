"""What the walks of all packs share."""
from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from engine.assembly import create_application
from engine.kernel.clock import FixedClock
from engine.kernel.settings import ROOT
from engine.storage.embedded import EmbeddedServer
from tests.conftest import NOW, TEMPLATE, _administer, _create, _numbers, _settings
from tests.packs.squads import found_squads, read_squads
from tests.packs.walk import Bureau, Walker, found_bureau


@pytest.fixture
def content_root() -> Path:
    """The folder that holds processes/, forms/, handlers/, integrations/."""
    return ROOT


@pytest.fixture(scope="session")
def _squads_template(postgres_server: EmbeddedServer, postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, dict[Any, Any]]:
    """A database with all content and the squads of two districts, its data folder, and what was compiled once for all walks."""
    _create(postgres_server, "squads_template", template=make_url(postgres_url).database or TEMPLATE)
    folder = tmp_path_factory.mktemp("squads")
    app = create_application(_settings(postgres_server.url("squads_template"), folder), clock=FixedClock(NOW))
    found_squads(app, app.clock.now())
    app.db.dispose()
    return "squads_template", folder, app.cache


@pytest.fixture
def squads(postgres_server: EmbeddedServer, _squads_template: tuple[str, Path, dict[Any, Any]], clock: FixedClock, tmp_path: Path) -> Iterator[Walker]:
    """A walker among the squads of tests/packs/squads.py, in a fresh copy; nobody has done anything yet."""
    template, folder, compiled = _squads_template
    name = f"squads_{next(_numbers)}"
    _create(postgres_server, name, template=template)
    shutil.copytree(folder, tmp_path / "data")
    app = create_application(_settings(postgres_server.url(name), tmp_path / "data"), clock=clock)
    app.cache = compiled
    yield Walker(app, read_squads(app, app.clock.now()))
    app.db.dispose()
    _administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def bureau(app: Any, clock: FixedClock) -> Bureau:
    return found_bureau(app, clock.now())


@pytest.fixture
def walk(app: Any, bureau: Bureau) -> Walker:
    """Nobody has done anything yet."""
    return Walker(app, bureau)
