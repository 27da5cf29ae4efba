"""Commands are found by being there."""
from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from engine import cli
from engine.cli import commands, host
from engine.cli.host import Host, default_data_dir, prepare_data_dir
from engine.kernel.errors import Unavailable


def test_every_module_with_a_command_is_listed_and_helpers_are_not() -> None:
    names = commands.list_commands(click.Context(commands))
    assert {"up", "serve", "worker", "clock", "migrate"} <= set(names)
    assert "host" not in names
    assert "processes" not in names


def test_every_command_explains_itself_in_chinese() -> None:
    context = click.Context(commands)
    for name in commands.list_commands(context):
        found = commands.get_command(context, name)
        assert found is not None
        assert any("\u4e00" <= letter <= "\u9fff" for letter in found.get_short_help_str(limit=200)), name


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(commands, ["fly"]).exit_code == 2


def test_an_error_for_people_is_one_line_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def broken() -> None:
        raise Unavailable("数据库不在。")

    monkeypatch.setattr(cli.FoundCommands, "get_command", lambda self, ctx, name: broken)
    result = CliRunner().invoke(commands, ["broken"])
    assert result.exit_code == 1
    assert result.output == "数据库不在。\n"


def test_the_cookie_key_is_made_once_and_for_nobody_else(tmp_path: Path) -> None:
    prepare_data_dir(tmp_path / "data")
    first = (tmp_path / "data" / "secret_key").read_bytes()
    prepare_data_dir(tmp_path / "data")
    assert (tmp_path / "data" / "secret_key").read_bytes() == first
    assert len(first) == 32
    for private in ("secret_key", "blobs", "logs", "connectors"):
        assert (tmp_path / "data" / private).stat().st_mode & 0o077 == 0


def test_data_never_stand_in_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(host.os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_data_dir() == tmp_path / "guicheng"
    monkeypatch.setattr(host.os, "geteuid", lambda: 0)
    assert default_data_dir() == Path("/var/lib/guicheng")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GUICHENG_DATA", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone@db/guicheng")
    settings = Host(create=lambda settings: None).settings()  # type: ignore[arg-type,return-value]
    assert settings.data_dir == tmp_path
    assert settings.sqlalchemy_url == "postgresql+psycopg://someone@db/guicheng"
    assert len(settings.secret_key) == 32
