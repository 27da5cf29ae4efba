"""Passwords in files of configuration are sealed where they lie, opened where they are used, and move to a new key."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from engine.access.directories import read_directories
from engine.kernel.gm import KeyRing
from engine.kernel.sealed_config import MARK, seal_configuration
from engine.kernel.settings import Settings
from engine.runtime.handlers import ConnectorFactory
from tests.town import Town

PLAIN = {"openid": {"issuer": "https://id.example.cn", "client_id": "guicheng", "client_secret": "秘密一"}, "ldap": {"url": "ldap://x", "base": "dc=x", "bind_dn": "cn=a", "bind_password": "秘密二"}}
OUTSIDE = {"url": "https://out.example.cn", "options": {"token": "秘密三", "timeout_seconds": 3, "nested": {"api_key": "秘密四"}, "empty_password": ""}}


def test_what_an_operator_writes_in_plain_is_sealed_at_the_next_start_and_used_as_before(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, keys = town.app.settings.data_dir, town.app.keys
    (folder / "connectors").mkdir(exist_ok=True)
    files = {folder / "sign_in.json": PLAIN, folder / "connectors" / "out.json": OUTSIDE}
    for file, content in files.items():
        file.write_bytes(orjson.dumps(content))
        file.chmod(0o600)
    (folder / "connectors" / "broken.json").write_text("{")

    def kept() -> str:
        return "".join(file.read_text() for file in files)

    def used() -> Any:
        found = read_directories(folder, keys)
        assert found.openid and found.ldap
        config = ConnectorFactory(name="out", title="外", make=lambda given: given).open(replace(town.app.settings))
        return found.openid.client_secret, found.ldap.bind_password, config.options["token"], config.options["nested"]["api_key"], config.url, config.options["timeout_seconds"]

    wanted = ("秘密一", "秘密二", "秘密三", "秘密四", "https://out.example.cn", 3)
    assert used() == wanted
    assert seal_configuration(folder, keys) == ["sign_in.json", "connectors/out.json"]
    assert "秘密" not in kept() and kept().count(MARK) == 4 and "guicheng" in kept()
    assert used() == wanted and seal_configuration(folder, keys) == []
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    before = kept()
    keys.renew_data_key()
    assert len(seal_configuration(folder, keys)) == 2 and kept() != before and used() == wanted


def test_a_value_moved_to_another_name_or_another_machine_does_not_open(town: Town, tmp_path: Any) -> None:
    folder = town.app.settings.data_dir
    (folder / "sign_in.json").write_bytes(orjson.dumps(PLAIN))
    (folder / "sign_in.json").chmod(0o600)
    seal_configuration(folder, town.app.keys)
    with pytest.raises(Exception, match="sign_in"):
        read_directories(folder, KeyRing(tmp_path / "other"))
    assert isinstance(town.app.settings, Settings)
