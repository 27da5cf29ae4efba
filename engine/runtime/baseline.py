"""基线核查: what a deployment must have set before people use it: no given passwords, no weak ones, closed files, one encrypted entry, signed programs."""
from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import orjson
from sqlalchemy import Connection, and_, select

from engine.access.exclusive import EXCLUSIVE, WORDS
from engine.access.passwords import matches
from engine.access.sign_in_policy import policy_on
from engine.kernel.loopback import is_loopback
from engine.kernel.release import check_release, trusted_key
from engine.kernel.sealed_config import FILES, plain_secrets
from engine.kernel.settings import DEMO_PASSWORD, ROOT, Settings
from engine.runtime.application import Application
from engine.storage.tables.organisation import account
from engine.storage.tables.sign_in import second_factor, sign_in_certificate

GUESSES = (DEMO_PASSWORD, "123456", "12345678", "Admin@123", "Aa123456", "P@ssw0rd", "{login}", "{login}123", "{login}@123")
PRIVATE = ("secret_key", "keys/*", "connectors/*.json", "sign_in.json", "postgres/password")
SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Check:
    """One item; ``said`` tells what was found and, when it isn't ``good``, what to do."""

    title: str
    good: bool
    said: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the table of ports: who speaks to whom, where, what for."""

    source: str
    target: str
    where: str
    purpose: str


def baseline(app: Application, *, everybody: bool = False) -> Iterator[Check]:
    """Every item. Weak passwords are tried on administrators, with ``everybody`` on every account (15 ms and more for each guess)."""
    settings = app.settings
    yield Check(title="环境", good=settings.environment == "production", said="生产环境" if settings.environment == "production" else "不是生产环境，会有演示账号；请设 GUICHENG_ENV=production")
    yield _entry(settings)
    yield _database(settings)
    yield from _files(settings.data_dir)
    with app.db.connect() as connection:
        yield from _accounts(connection, everybody=everybody)
        yield _policy(connection, app)
    release = check_release(ROOT, trusted=trusted_key(settings.data_dir))
    yield Check(title="程序签名", good=release.good, said="与签名的发布一致" if release.good else "没有签名，或与签名的发布不符；用 python -m engine sign-release 签名并信任公钥")
    yield Check(title="日志外送", good=bool(settings.syslog), said=settings.syslog or "没有设 GUICHENG_SYSLOG，日志只在本机")


def _entry(settings: Settings) -> Check:
    encrypted = settings.public_url.startswith("https://")
    shut = is_loopback(settings.host) or bool(settings.proxies) or bool(settings.tls_certificate)
    said = "对外的网址是 HTTPS" if encrypted else "PUBLIC_URL 不是 https，Cookie 不加 Secure"
    return Check(title="唯一的加密入口", good=encrypted and shut, said=said + ("" if shut else f"；在 {settings.host} 上明文监听，请只听本机、设证书或写明前面的代理"))


def _database(settings: Settings) -> Check:
    parts = urlsplit(settings.database_url)
    mode = parse_qs(parts.query).get("sslmode", [""])[0]
    near = not parts.hostname or is_loopback(parts.hostname) or "host=/" in parts.query or "host=%2F" in parts.query
    good = near or mode in ("require", "verify-ca", "verify-full")
    return Check(title="到数据库的连接", good=good, said="在本机" if near else f"加密（{mode}）" if good else "不在本机又没有加密，请在 DATABASE_URL 后面写 sslmode=verify-full")


def _files(data_dir: Path) -> Iterator[Check]:
    found = [file for pattern in PRIVATE for file in data_dir.glob(pattern) if file.is_file()]
    open_to = [str(file.relative_to(data_dir)) for file in found if stat.S_IMODE(file.stat().st_mode) & 0o077]
    yield Check(title="密钥和配置文件的权限", good=not open_to, said=f"{len(found)} 个文件只有属主能读" if not open_to else f"别人也能读：{_few(open_to)}；请 chmod 600")
    plain = [str(file.relative_to(data_dir)) for pattern in FILES for file in data_dir.glob(pattern) if plain_secrets(_read(file))]
    yield Check(title="配置里的口令", good=not plain, said="都已加密" if not plain else f"还有明文：{_few(plain)}；重新启动平台就会加密")


def _read(file: Path) -> object:
    try:
        return orjson.loads(file.read_bytes())
    except (orjson.JSONDecodeError, OSError):
        return None


def _accounts(connection: Connection, *, everybody: bool) -> Iterator[Check]:
    rows = connection.execute(
        select(account.c.login, account.c.password_hash, account.c.must_change, account.c.rights, second_factor.c.confirmed_at, sign_in_certificate.c.id.label("certificate"))
        .outerjoin(second_factor, second_factor.c.account_id == account.c.id)
        .outerjoin(sign_in_certificate, and_(sign_in_certificate.c.account_id == account.c.id, sign_in_certificate.c.revoked_at.is_(None)))
        .where(account.c.active).order_by(account.c.login)
    ).all()
    guards = [row for row in rows if EXCLUSIVE & set(row.rights)]
    tried = rows if everybody else guards
    weak = sorted({row.login for row in tried if any(matches(row.password_hash, guess.format(login=row.login)) for guess in GUESSES)})
    yield Check(title="弱口令和默认口令", good=not weak, said=f"试了 {len(tried)} 个账号，没有" if not weak else f"{len(weak)} 个：{_few(weak)}；请重置，首次登录会要求改")
    given = sorted({row.login for row in guards if row.must_change})
    yield Check(title="管理员改过初始口令", good=bool(guards) and not given, said=f"还没有改：{_few(given)}" if given else "都改过" if guards else "还没有管理员，用 python -m engine administrators 建立")
    bare = sorted({row.login for row in guards if row.confirmed_at is None and row.certificate is None})
    yield Check(title="管理员的第二因素", good=bool(guards) and not bare, said=f"没有动态口令或证书：{_few(bare)}" if bare else "都有" if guards else "还没有管理员")
    both = sorted({row.login for row in guards if len(EXCLUSIVE & set(row.rights)) > 1})
    missing = [WORDS[right] for right in sorted(EXCLUSIVE) if not any(right in row.rights for row in guards)]
    yield Check(title="三员分立", good=not both and not missing, said=f"兼任：{_few(both)}" if both else f"没有人担任：{'、'.join(missing)}" if missing else "三员齐全，没有兼任")


def _policy(connection: Connection, app: Application) -> Check:
    policy = policy_on(connection, on=app.clock.today(), environment=app.settings.environment)
    good = policy.min_length >= 12 and policy.classes >= 3 and 0 < policy.failures <= 5 and policy.lock_minutes >= 10 and 0 < policy.expires_days <= 90
    return Check(title="口令规定", good=good, said=f"至少 {policy.min_length} 位、{policy.classes} 种字符，连错 {policy.failures} 次锁 {policy.lock_minutes} 分钟，{policy.expires_days} 天更换" + ("" if good else "；低于等保三级的通常做法"))


def lines(settings: Settings) -> Iterator[Line]:
    """The table of ports as this deployment is set."""
    yield Line(source="网关、浏览器", target="网页进程", where=f"{settings.host}:{settings.port}", purpose=f"唯一的入口，对外是 {settings.public_url}")
    database = urlsplit(settings.database_url)
    yield Line(source="平台各进程", target="数据库", where=f"{database.hostname or '本机套接字'}{f':{database.port}' if database.port else ''}", purpose="存取")
    for file in sorted(settings.data_dir.glob("connectors/*.json")):
        given = _read(file)
        address = given.get("url") if isinstance(given, dict) else None
        if address:
            yield Line(source="后台进程", target=file.stem, where=str(address), purpose="外部系统" + ("（模拟器）" if isinstance(given, dict) and given.get("simulated") else ""))
    for target, where, purpose in (("日志服务器", settings.syslog, "审计外送"), ("查毒服务", settings.virus_scanner, "上传的文件"), ("密码设备", settings.vault if settings.vault != "file" else "", "签名、封装密钥")):
        if where:
            yield Line(source="平台各进程", target=target, where=where, purpose=purpose)
    given = _read(settings.data_dir / "sign_in.json")
    for name, title, key in (("openid", "统一认证", "issuer"), ("ldap", "LDAP", "url")):
        if isinstance(given, dict) and isinstance(given.get(name), dict):
            yield Line(source="网页进程", target=title, where=str(given[name].get(key)), purpose="登录")


def _few(names: list[str]) -> str:
    return "、".join(names[:SHOWN]) + (f" 等 {len(names)} 个" if len(names) > SHOWN else "")
