"""Outside systems are simulated unless they have a real address."""
from __future__ import annotations

import urllib.request
from pathlib import Path

import orjson
import pytest

from engine.cli.simulators import running_simulators, simulated_systems
from engine.kernel.settings import Settings


@pytest.fixture
def root(tmp_path: Path) -> Settings:
    return Settings(database_url="", data_dir=tmp_path)


def test_a_simulator_answers_where_the_connector_looks(root: Settings) -> None:
    with running_simulators(root) as addresses:
        config = orjson.loads((root.data_dir / "connectors" / "weather_board.json").read_bytes())
        assert config["url"] == addresses["weather_board"]
        assert config["simulated"] is True
        with urllib.request.urlopen(f"{config['url']}/forecast?place=x", timeout=5) as answer:
            assert orjson.loads(answer.read()) == {"chance": 80}


def test_the_address_is_the_same_after_a_restart(root: Settings) -> None:
    with running_simulators(root) as first:
        pass
    with running_simulators(root) as second:
        assert second == first


def test_a_real_address_is_left_alone(root: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = root.data_dir / "connectors"
    folder.mkdir()
    (folder / "weather_board.json").write_bytes(orjson.dumps({"url": "https://weather.example"}))
    monkeypatch.setenv("CONNECTOR_CLUE_SOURCE_URL", "https://source.example")
    assert not {"weather_board", "clue_source"} & set(simulated_systems(root))
