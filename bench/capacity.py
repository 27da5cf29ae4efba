"""Capacity: the platform at the number of users and the history that the tenders name, every page timed, three hundred people at once.

    .venv/bin/python bench/capacity.py [--officers 6350] [--parties 5500000] [--cases 200000] [--restore]

A scratch platform with the demo city and two web workers; officers, accounts of parties and cases are copied by SQL. Then: how
long each page takes (by page, not by request), searches, statistics and reports, 100 sign-ins at once, 300 people who press at the
same moment, a party among millions. ``--restore`` also backs the running platform up and restores it beside.
"""
from __future__ import annotations

import argparse
import http.client
import re
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent))

import psycopg
from browser import Browser, values_of
from scratch import ROOT, Scratch, scratch
from sign_in import measure

from engine.kernel.settings import DEMO_PASSWORD

OFFICERS, PARTIES, CASES, TOGETHER = 6_350, 5_500_000, 200_000, 300
READERS = ("jingan.suo1.chengban1", "jingan.juzhang", "jingan.shipin.jingban", "cg.jingan.dui1.chengban1", "sheji", "yunwei", "guanli", "anquan")
WORDS = ("食品", "保质期", "静安", "违法", "没有这样的词", "麦浪", "9131", "沪市监", "彩钢棚", "过期 食品", "围墙", "线索")
Connection = psycopg.Connection[tuple[object, ...]]
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=/)\d+(?=/|$)")
PARTY = "31019919880312002X"
"""夏知秋 of the demo city."""
START = "/start/case_filing/clue_intake"
OPEN_DOOR = (
    "INSERT INTO sign_in_policy (id, valid_from, changes, reason, by_name, at) "
    "VALUES (gen_random_uuid(), '2020-01-02', '{\"tries_per_address\": 100000, \"tries_per_account\": 1000}', 'bench', 'bench', now())"
)
"""Everybody comes from one address here."""
COPIED = ("case_party", "case_clock", "task")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """``seconds`` (or a share) against ``limit``; ``at_least`` when more is better."""

    what: str
    value: float
    limit: float
    said: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def figures(*, officers: int = OFFICERS, parties: int = PARTIES, cases: int = CASES, restore: bool = False, tell: Callable[[str], None] = print) -> Iterator[Figure]:
    """Every figure as it is measured."""
    with scratch(cases=True, workers=2) as platform:
        with platform.connect() as connection:
            for what, made in (("工作人员", _officers(connection, officers)), ("企业和公众账号", _parties(connection, parties)), ("案件", _cases(connection, cases))):
                tell(f"{what} {made:,}")
            connection.execute(OPEN_DOOR)
            connection.execute("ANALYZE")
            tell("数据库 " + str((connection.execute("SELECT pg_size_pretty(pg_database_size(current_database()))").fetchone() or ("",))[0]))
        yield from _pages(platform)
        yield from _party(platform)
        yield from _sign_in(platform)
        yield from _together(platform)
        if restore:
            yield from _restore(platform)


def _officers(connection: Connection, wanted: int) -> int:
    """Copies of the people of the demo city with their posts and accounts, until there are ``wanted``."""
    with _unchecked(connection):
        have = _count(connection, "account")
        for table in ("person", "post", "account"):
            _copy(connection, "public", table, -(-wanted // have) - 1, mapped=("id", "person_id"), changed={"login": "login || '.' || turn"}, limit=max(wanted - have, 0) if table == "account" else None)
    return _count(connection, "account")


def _parties(connection: Connection, wanted: int) -> int:
    """Accounts of parties with their person; six in eleven are enterprises and stand among the parties."""
    with _unchecked(connection):
        connection.execute("DROP INDEX IF EXISTS ix_party_name")
        for first in range(1, wanted + 1, 500_000):
            span = (first, min(first + 499_999, wanted))
            connection.execute("INSERT INTO person (id, name, pinyin, updated_at) SELECT md5('p' || n)::uuid, '当事人' || n, 'dsr', now() FROM generate_series(%s::int, %s::int) n", span)
            connection.execute(
                "INSERT INTO party_account (id, person_id, identifier_kind, identifier, identifier_index, phone, password_hash, checked_by, check_number, checked_at, created_at, updated_at) "
                "SELECT md5('a' || n)::uuid, md5('p' || n)::uuid, 'id_card', decode(md5('i' || n), 'hex'), decode(md5('x' || n), 'hex'), decode(md5('t' || n), 'hex'), '-', 'bench', n::text, now(), now(), now() "
                "FROM generate_series(%s::int, %s::int) n", span)
            connection.execute(
                "INSERT INTO party (id, kind, name, identifier_kind, identifier, identifier_index, address, created_at, updated_at) "
                "SELECT md5('y' || n)::uuid, 'organisation', '上海' || substr('云汀梧桐听雨望江秋水长虹锦绣', 1 + n %% 13, 2) || n || '有限公司', 'credit_code', decode(md5('i' || n), 'hex'), decode(md5('z' || n), 'hex'), "
                "'云汀路' || n %% 997 || '号', now(), now() FROM generate_series(%s::int, %s::int) n WHERE n %% 11 < 6", span)
        connection.execute("CREATE INDEX ix_party_name ON party USING gin (name gin_trgm_ops)")
    return _count(connection, "party_account")


def _cases(connection: Connection, wanted: int) -> int:
    """Every case of the demo city again and again, with parties, limits, tasks and its rows in the registers; their dates go back over five years."""
    have = _count(connection, "case_file")
    registers = [str(row[0]) for row in connection.execute("SELECT table_name FROM information_schema.columns WHERE table_schema = 'reg' AND column_name = 'case_id' ORDER BY 1").fetchall()]
    turns = -(-wanted // have) - 1
    back = f"- turn * interval '1800 days' / {max(turns, 1)}"
    dated = {name: f'"{name}" {back}' for name in ("created_at", "updated_at", "closed_at", "opened_at", "done_at", "at")}
    numbered = {"number": "number || '-' || turn", **dated}
    with _unchecked(connection):
        _copy(connection, "public", "case_file", turns, mapped=("id", "parent_id"), changed=numbered)
        for table in COPIED:
            _copy(connection, "public", table, turns, mapped=("id", "case_id", "instance_id"), changed=dated)
        for table in registers:
            _copy(connection, "reg", table, turns, mapped=("id", "case_id", "record_id"), changed=numbered, where="case_id IS NOT NULL")
    return _count(connection, "case_file")


_FITS = {"timestamp with time zone": "interval", "text": "||"}
"""Type of a column → what an expression for it holds: a register may call a number what another calls a text."""


def _copy(
    connection: Connection, schema: str, table: str, turns: int, *, mapped: Sequence[str], changed: dict[str, str], limit: int | None = None, where: str = "true"
) -> None:
    """``turns`` more copies of what the demo city made: the ids in ``mapped`` become ids of their turn, the columns in ``changed`` the expression."""
    found = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s AND is_generated = 'NEVER' AND is_identity = 'NO'", (schema, table)).fetchall()
    columns = {str(name): str(kind) for name, kind in found}
    fitting = {name: text for name, text in changed.items() if _FITS.get(columns.get(name, ""), "?") in text}
    values = [f"md5({name}::text || turn)::uuid" if name in mapped else fitting.get(name, f'"{name}"') for name in columns]
    names = ", ".join(f'"{name}"' for name in columns)
    connection.execute(
        f'INSERT INTO "{schema}"."{table}" ({names}) SELECT {", ".join(values)} FROM (SELECT * FROM "{schema}"."{table}" WHERE {where}) AS original, generate_series(1, {turns}) AS turn'
        f"{f' LIMIT {limit}' if limit is not None else ''} ON CONFLICT DO NOTHING")


@contextmanager
def _unchecked(connection: Connection) -> Iterator[None]:
    """Without triggers and foreign keys: what is copied fits by construction."""
    connection.execute("SET session_replication_role = replica")
    connection.execute("SET synchronous_commit = off")
    try:
        yield
    finally:
        connection.execute("RESET session_replication_role")


def _pages(platform: Scratch) -> Iterator[Figure]:
    """Every page that eight kinds of people reach by links, by its address without ids; then searches, then statistics and reports."""
    took: dict[str, list[float]] = defaultdict(list)
    failed: list[str] = []
    for login in READERS:
        browser = Browser(platform.base)
        browser.sign_in(login, DEMO_PASSWORD)
        _walk(browser, took, failed)
    pages = {page: max(times) for page, times in took.items()}
    fast = sum(seconds <= 5 for seconds in pages.values()) / len(pages)
    slow = sorted(pages.items(), key=lambda one: -one[1])[:3]
    said = f"{len(pages)} 种页面，最慢的 " + "、".join(f"{page} {seconds:.2f} 秒" for page, seconds in slow)
    yield Figure(what="5 秒以内的操作页面", value=fast, limit=0.9, said=f"{fast:.1%}；{said}", at_least=True)
    yield Figure(what="打不开的页面", value=len(failed), limit=0, said=f"{len(failed)} 个 {'、'.join(failed[:3])}")
    browser = Browser(platform.base)
    browser.sign_in("jingan.juzhang", DEMO_PASSWORD)
    asked = [_timed(browser, f"{where}?q={quote(word)}") for word in WORDS for where in ("/search", "/cases", "/registers/case_filing/clue", "/registers/illegal_building/point")]
    yield Figure(what="搜索，最慢", value=max(asked), limit=10, said=f"{len(asked)} 次，中位 {statistics.median(asked):.2f} 秒，最慢 {max(asked):.2f} 秒")
    counted = {page: seconds for page, seconds in pages.items() if page.startswith(("/statistics", "/dashboards", "/reports", "/clocks"))}
    yield Figure(what="统计、看板、报表，最慢", value=max(counted.values()), limit=10, said=f"{len(counted)} 种页面，最慢 {max(counted.values()):.2f} 秒")


def _walk(browser: Browser, took: dict[str, list[float]], failed: list[str], *, most: int = 140, each: int = 2) -> None:
    """Follow the links of our own pages, ``each`` pages of one kind."""
    waiting = ["/", "/desk", "/cases", "/statistics", "/registers", "/clocks", "/search?q=食品"]
    seen: set[str] = set()
    kinds: dict[str, int] = defaultdict(int)
    while waiting and len(seen) < most:
        path = waiting.pop(0).split("#")[0]
        kind = _ID.sub("…", path.split("?")[0])
        if path in seen or kinds[kind] >= each:
            continue
        seen.add(path)
        kinds[kind] += 1
        began = time.perf_counter()
        answer = browser.get(quote(path, safe="/?=&%.:+-_~"))
        took[kind].append(time.perf_counter() - began)
        if answer.status >= 500:
            failed.append(f"{kind} {answer.status}")
        if answer.status == 200 and answer.text.lstrip().startswith("<!doctype"):
            links = [link.get("href") for link in answer.page.iter("a") if link.get("download") is None]
            waiting += [link for link in links if link and link.startswith("/") and not re.search(r"logout|\.(csv|xlsx|docx|pdf|zip|pem|bpmn)|/static/", link)]


def _timed(browser: Browser, path: str) -> float:
    began = time.perf_counter()
    answer = browser.get(path)
    if answer.status >= 400:
        raise RuntimeError(f"{path}: {answer.status}")
    return time.perf_counter() - began


def _party(platform: Scratch) -> Iterator[Figure]:
    """The page of a party and the question whether a number is known, among all of them."""
    browser = Browser(platform.base)
    times = [_timed(browser, "/party/sign-up") for _ in range(5)]
    sent = {**values_of(browser.get("/party/sign-up").page.forms[0]), "identifier": PARTY, "password": DEMO_PASSWORD}
    began = time.perf_counter()
    if browser.post("/party/login", sent).status >= 400:
        raise RuntimeError("the party of the demo city was not let in")
    times += [time.perf_counter() - began, *(_timed(browser, "/party") for _ in range(5))]
    with platform.connect() as connection:
        for n in range(1, 200):
            began = time.perf_counter()
            connection.execute("SELECT id, password_hash FROM party_account WHERE identifier_index = decode(md5(%s), 'hex') AND active", (f"x{n * 997}",)).fetchone()
            times.append(time.perf_counter() - began)
    yield Figure(what="当事人登录、首页、认号，最慢", value=max(times), limit=3, said=f"最慢 {max(times) * 1000:.0f} 毫秒")


def _sign_in(platform: Scratch) -> Iterator[Figure]:
    slowest = measure(platform, 100)[0][1]
    yield Figure(what="100 人同时登录，最慢的一个", value=float(slowest.split()[0]), limit=2, said=slowest)


def _count(connection: Connection, table: str) -> int:
    return int(str((connection.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,))[0]))


class Officer(threading.Thread):
    """Signs in, waits for the others, then opens the pages of a working minute one after another, all at the same moment as everybody."""

    PATHS = ("/desk", "/cases", "/registers/case_filing/clue", "/search?q=" + quote("食品"), "/statistics", "/clocks")

    def __init__(self, base: str, login: str, ready: threading.Barrier) -> None:
        super().__init__(daemon=True)
        self.base, self.login, self.ready = base, login, ready
        self.took: dict[str, float] = {}
        self.wrong: list[str] = []

    def run(self) -> None:
        try:
            self._work()
        except Exception as error:  # the others must not wait for one who is gone
            self.wrong.append(f"{self.login}: {error}")
            self.ready.abort()

    def _work(self) -> None:
        browser = Browser(self.base)
        browser.connection = http.client.HTTPConnection(urlsplit(self.base).netloc, timeout=180)
        browser.sign_in(self.login, DEMO_PASSWORD)
        for path in (*self.PATHS, "draft"):
            self.ready.wait()
            began = time.perf_counter()
            status = self._draft(browser) if path == "draft" else browser.get(path).status
            self.took[path] = time.perf_counter() - began
            if status >= 400:
                self.wrong.append(f"{path} {status}")

    def _draft(self, browser: Browser) -> int:
        """A write: the form of a new clue is opened and its draft kept."""
        form = next(form for form in browser.get(START).page.forms if "title" in form.fields)
        return browser.post(f"{START}/draft", {**values_of(form), "title": "同时存的草稿"}).status


def _together(platform: Scratch) -> Iterator[Figure]:
    with platform.connect() as connection:
        rows = connection.execute(
            "SELECT login FROM account a JOIN post p ON p.person_id = a.person_id AND p.main JOIN unit u ON u.id = p.unit_id "
            "WHERE a.active AND p.code = 'officer' AND u.kind = 'station' AND u.bureau = 'market_regulation' ORDER BY login LIMIT %s",
            (TOGETHER,)).fetchall()
    ready = threading.Barrier(len(rows))
    crowd = [Officer(platform.base, str(row[0]), ready) for row in rows]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(timeout=900)
    wrong = [text for one in crowd for text in one.wrong]
    for path in (*Officer.PATHS, "draft"):
        times = sorted(one.took.get(path, 999.0) for one in crowd)
        late = times[int(len(times) * 0.9)]
        yield Figure(what=f"{len(crowd)} 人同时按下：{path.split('?')[0]}", value=late, limit=5 if "search" not in path else 10, said=f"90% 在 {late:.2f} 秒内，最慢 {times[-1]:.2f} 秒")
    yield Figure(what="其间的错误", value=len(wrong), limit=0, said=f"{len(wrong)} 个 {'、'.join(wrong[:3])}")


def _restore(platform: Scratch) -> Iterator[Figure]:
    """Back the running platform up, restore it into an empty folder with a server of its own."""
    folder = Path(platform.environment["GUICHENG_DATA"])
    file, beside = folder / "whole.backup", folder / "restored"
    environment = {**platform.environment, "GUICHENG_BACKUP_PASSPHRASE": "bench-bench-bench-1"}
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "engine", "backup", str(file)], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    made = time.perf_counter() - began
    size = file.stat().st_size / 1e9
    beside.mkdir(mode=0o755)
    began = time.perf_counter()
    del environment["DATABASE_URL"]
    subprocess.run([sys.executable, "-m", "engine", "restore", str(file), "--data", str(beside)], cwd=ROOT, env={**environment, "GUICHENG_DATA": str(beside)}, check=True, stdout=subprocess.DEVNULL)
    took = time.perf_counter() - began
    yield Figure(what="备份（平台在运行）", value=made / 3600, limit=4, said=f"{made:.0f} 秒，{size:.2f} GB")
    yield Figure(what="整库整站恢复并核对", value=took / 3600, limit=4, said=f"{took:.0f} 秒")


def main() -> None:
    asked = argparse.ArgumentParser()
    for name, size in (("officers", OFFICERS), ("parties", PARTIES), ("cases", CASES)):
        asked.add_argument(f"--{name}", type=int, default=size)
    asked.add_argument("--restore", action="store_true")
    for figure in figures(**vars(asked.parse_args())):
        print(f"{'达到' if figure.met else '没有达到'}　{figure.what}：{figure.said}", flush=True)


if __name__ == "__main__":
    main()
