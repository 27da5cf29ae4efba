"""基线核查 names what a deployment hasn't set, and is content with one that has."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import text

from engine.access.passwords import hash_password
from engine.kernel.settings import DEMO_PASSWORD
from engine.runtime.baseline import baseline, lines
from tests.town import Town


def found(town: Town, **settings: Any) -> dict[str, tuple[bool, str]]:
    app = replace(town.app, settings=replace(town.app.settings, **settings))
    return {one.title: (one.good, one.said) for one in baseline(app)}


def test_what_is_not_set_is_named_and_what_is_set_passes(town: Town) -> None:
    data = town.app.settings.data_dir
    (data / "connectors").mkdir(exist_ok=True)
    (data / "connectors" / "elsewhere.json").write_text('{"url": "https://elsewhere.example:8443", "password": "plain"}')
    (data / "connectors" / "elsewhere.json").chmod(0o644)
    with town.app.db.begin() as connection:
        for login, right in (("keeper", "admin"), ("staff", "security")):
            connection.execute(text("UPDATE account SET rights = jsonb_build_array(cast(:right AS text)), password_hash = :hash, must_change = true WHERE login = :login"),
                               {"right": right, "login": login, "hash": hash_password(DEMO_PASSWORD if login == "keeper" else "zhiyou-wo-zhidao-77")})
    bad = found(town, public_url="http://x.example", host="0.0.0.0", database_url="postgresql://u@db.example/g")
    assert not any(good for title, (good, _) in bad.items() if title != "口令规定")
    assert "keeper" in bad["弱口令和默认口令"][1] and "staff" not in bad["弱口令和默认口令"][1] and "安全审计" in bad["三员分立"][1]
    assert "elsewhere" in bad["配置里的口令"][1] and "elsewhere" in bad["密钥和配置文件的权限"][1]
    assert any(line.target == "elsewhere" and line.where == "https://elsewhere.example:8443" for line in lines(town.app.settings))
    (data / "connectors" / "elsewhere.json").unlink()
    with town.app.db.begin() as connection:
        connection.execute(text("UPDATE account SET rights = '[\"auditor\"]' WHERE login = 'chief'"))
        connection.execute(text("UPDATE account SET must_change = false, password_hash = :hash WHERE login IN ('keeper', 'staff', 'chief')"), {"hash": hash_password("zhiyou-wo-zhidao-77")})
        connection.execute(text("INSERT INTO second_factor (account_id, secret, at, confirmed_at) SELECT id, 'x', now(), now() FROM account WHERE login IN ('keeper', 'staff', 'chief')"))
    good = found(town, environment="production", public_url="https://x.example", host="127.0.0.1", syslog="udp://log.example:514", database_url="postgresql://u@db.example/g?sslmode=verify-full")
    assert [title for title, (passed, _) in good.items() if not passed] in ([], ["程序签名"])
