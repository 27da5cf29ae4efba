"""`make bench`: one table. The three-step approval through HTTP beside viewflow's, what a case costs, long cases, a full inbox, FEEL, timers, fan-out, rights.

Both run on the same PostgreSQL (ordinary durability), each behind one granian worker with four threads, driven by the same
client that posts filled forms one after the other over one connection. Statements and commits are counted by PostgreSQL;
CPU is read from /proc for the worker, for all of PostgreSQL and for the client apart. Figures are counts and ratios of
one run, and the two take turns in short blocks, so that a busy machine moves both sides.

No part may take longer than its limit and the whole no longer than ``--minutes`` once the platform runs: what wasn't finished stands in the table as
such. The table is printed and written to ``bench/table.md``.
"""
from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from uuid import uuid4

import drawings
import feel
from browser import Browser, form_to, values_of
from peer import Peer, environment, open_tasks, peer
from scratch import ROOT, Scratch, cpu_ms, resident_kb, scratch

PASSWORD, OFFICER, START = "Guicheng-2026", "jingan.suo1.chengban1", "/start/borrow_umbrella/borrow_umbrella"
FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
INBOX, BLOCKS = 100_000, 3
OUT = Path(__file__).resolve().parent / "table.md"


@dataclass(frozen=True, kw_only=True)
class Submits:
    """Per submit: milliseconds as the client saw them; CPU milliseconds of the server, of PostgreSQL, of the client; statements and commits."""

    taken: Sequence[float]
    server: float
    database: float
    driver: float
    statements: float
    commits: float

    @property
    def each_second(self) -> float:
        return 1000 / statistics.mean(self.taken)


def percentile(taken: Sequence[float], share: float) -> float:
    return sorted(taken)[min(len(taken) - 1, round(share * len(taken)))]


def worker_of(web: subprocess.Popen[bytes]) -> int:
    """The process that runs Python for requests: the server's biggest child."""
    children = Path(f"/proc/{web.pid}/task/{web.pid}/children").read_text().split()
    return max((int(child) for child in children), key=resident_kb, default=web.pid)


def postgres_cpu(platform: Scratch) -> float:
    """CPU milliseconds of all processes of PostgreSQL so far; connections stay open meanwhile."""
    with platform.connect() as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        mother = Path(f"/proc/{row[0]}/stat").read_text().rsplit(")", 1)[1].split()[1]
    children = Path(f"/proc/{mother}/task/{mother}/children").read_text().split()
    return sum(cpu_ms(int(child)) for child in children if Path(f"/proc/{child}/stat").exists()) + cpu_ms(int(mother))


def measure(platform: Scratch, worker: int, submits: Sequence[Callable[[], int]]) -> Submits:
    """Do them one after the other; raises SystemExit for an answer that is no success."""
    with platform.connect() as connection:
        connection.execute("SELECT pg_stat_statements_reset()")
    server, database, driver, taken = cpu_ms(worker), postgres_cpu(platform), time.process_time(), []
    for submit in submits:
        began = time.perf_counter()
        status = submit()
        taken.append((time.perf_counter() - began) * 1000)
        if status >= 400:
            raise SystemExit(f"a submit was refused: {status}")
    count = len(submits)
    spent = (cpu_ms(worker) - server) / count, (postgres_cpu(platform) - database) / count, (time.process_time() - driver) * 1000 / count
    with platform.connect() as connection:
        rows = [(str(text).upper(), int(str(calls))) for text, calls in connection.execute(
            "SELECT query, calls FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%' AND query NOT LIKE '%pg_backend_pid%'")]
    statements = sum(calls for text, calls in rows if not text.startswith(FRAME)) / count
    commits = sum(calls for text, calls in rows if text.startswith("COMMIT")) / count
    return Submits(taken=taken, server=spent[0], database=spent[1], driver=spent[2], statements=statements, commits=commits)


class Ours:
    """The platform with a process of its own deployed for the run, driven as one officer."""

    def __init__(self, platform: Scratch) -> None:
        self.platform, self.browser, self.worker = platform, Browser(platform.base), platform.web_worker()
        self.browser.sign_in(OFFICER, PASSWORD)
        self.form: dict[str, str] = {}

    def deploy(self, content: bytes) -> None:
        drawings.deploy(self.platform, content)
        time.sleep(3)  # the web worker looks for what is new every two seconds
        self.form = values_of(form_to(self.browser.get(START).page, START))

    def start(self) -> int:
        return self.browser.post(START, {**self.form, "key": str(uuid4()), "data.place": "东", "data.days": "1", "outcome": "ok"}).status

    def tasks(self) -> list[str]:
        query = "SELECT t.id::text FROM task t JOIN instance i ON i.id = t.instance_id WHERE t.status = 'open' AND i.process LIKE 'borrow%' ORDER BY t.opened_at"
        with self.platform.connect() as connection:
            return [str(row[0]) for row in connection.execute(query)]

    def submit(self, task: str, outcome: str = "ok") -> int:
        sent = {**self.step, "key": str(uuid4()), "data.place": "东", "data.days": "1", "outcome": outcome}
        return self.browser.post(f"/tasks/{task}/complete", sent).status

    def learn(self, task: str) -> None:
        """The fields of a step's form as its page shows them; only the key differs from task to task."""
        self.step = values_of(form_to(self.browser.get(f"/tasks/{task}").page, f"/tasks/{task}/complete"))

    def approval(self, cases: int) -> Submits:
        found: list[Submits] = []
        for _ in range(cases):
            self.start()
        for _ in range(3):
            tasks = self.tasks()
            self.learn(tasks[0])
            found.append(measure(self.platform, self.worker, [lambda task=task: self.submit(task) for task in tasks]))  # type: ignore[misc]
        return together(found)


class Parts:
    """The table as it grows; every part within its limit, all of them within ``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self.ends, self.rows = time.monotonic() + seconds, list[Row]()

    def do(self, what: str, aim: str, part: Callable[[], Sequence[Row]], *, limit: float) -> None:
        """Add the rows of ``part``; one row that says so when it was not finished in time or broke."""
        left = min(limit, self.ends - time.monotonic())
        try:
            if left < 1:
                raise TimeoutError
            with at_most(left):
                made = list(part())
        except TimeoutError:
            made = [(what, f"没有量完：{max(left, 0):.0f} 秒内没有做完", aim, "")]
        except Exception as error:  # the other parts are measured all the same
            traceback.print_exc()
            made = [(what, f"没有量：{type(error).__name__}，见上", aim, "")]
        self.rows += made
        for row in made:
            print("  ".join(row).rstrip(), file=sys.stderr, flush=True)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the block after so many seconds."""
    def over(number: int, frame: FrameType | None) -> None:
        raise TimeoutError
    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def apart(script: str, *options: str) -> list[Row]:
    """The rows that another script of the bench prints, in a process of its own; it is asked to end and clean up when time is over."""
    command = [sys.executable, f"bench/{script}", *options]
    child = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)
    try:
        told, _ = child.communicate()
    except TimeoutError:
        child.terminate()
        try:
            child.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            child.kill()
        raise
    if child.returncode:
        return [(script, "没有量：程序出错，见上", "", "")]
    parts = [line.split("\t") for line in told.splitlines() if "\t" in line]
    return [(what, figure, aim, "") for what, figure, aim in parts]


def beside(ours: Ours, platform: Scratch, python: Path | None, cases: int) -> tuple[Submits, Submits | None]:
    """Both approvals in turns."""
    ours.approval(10)
    if python is None:
        return ours.approval(cases), None
    mine, theirs = list[Submits](), list[Submits]()
    with peer(platform, python) as found:
        peers_approval(platform, found, 10)
        for _ in range(BLOCKS):
            mine.append(ours.approval(cases // BLOCKS))
            theirs.append(peers_approval(platform, found, cases // BLOCKS))
    return together(mine), together(theirs)


def together(parts: Sequence[Submits]) -> Submits:
    def mean(name: str) -> float:
        return statistics.mean(getattr(part, name) for part in parts)
    return Submits(taken=[one for part in parts for one in part.taken], server=mean("server"), database=mean("database"), driver=mean("driver"),
                   statements=mean("statements"), commits=mean("commits"))


def peers_approval(platform: Scratch, other: Peer, cases: int) -> Submits:
    """The same approval in viewflow by the same client."""
    browser, worker, found = Browser(other.base), worker_of(other.web), []
    browser.get("/accounts/login/")
    token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    if browser.post("/accounts/login/", {**token, "username": "officer", "password": PASSWORD}).status != 302:
        raise SystemExit("viewflow refused the sign-in")
    token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    sent = {**token, "place": "东", "days": "1"}
    for _ in range(cases):
        if browser.post("/request/start/", sent).status != 302:
            raise SystemExit("viewflow started no process")
    for _ in range(3):
        steps = [address for _, address in open_tasks(other)]
        found.append(measure(platform, worker, [lambda at=address: browser.post(at, sent).status for address in steps]))  # type: ignore[misc]
    return together(found)


def case_bytes(platform: Scratch) -> float:
    """Bytes of rows, before compression by pages, that one finished case of three steps leaves, with history and audit."""
    total = 0.0
    with platform.connect() as connection:
        cases = "(SELECT k.id FROM case_file k WHERE k.kind = 'borrow_umbrella.loan')"
        tables = connection.execute(
            "SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)"
            " WHERE c.table_schema = 'public' AND c.column_name = 'case_id' AND t.table_type = 'BASE TABLE'").fetchall()
        wanted = [f'SELECT coalesce(sum(pg_column_size(t.*)), 0) FROM "{name}" t WHERE t.case_id IN {cases}' for (name,) in tables]
        wanted += [f"SELECT coalesce(sum(pg_column_size(k.*)), 0) FROM case_file k WHERE k.id IN {cases}",
                   f"SELECT coalesce(sum(pg_column_size(c.*)), 0) FROM task_candidate c JOIN task t ON t.id = c.task_id WHERE t.case_id IN {cases}"]
        for query in wanted:
            total += float(str((connection.execute(query).fetchone() or (0,))[0]))
        count = int(str((connection.execute(f"SELECT count(*) FROM case_file WHERE id IN {cases}").fetchone() or (1,))[0]))
    return total / max(count, 1)


def long_case(ours: Ours, steps: int) -> tuple[float, float]:
    """(CPU of server and database per step at the beginning, at the end) of one case that goes in a circle."""
    ours.deploy(drawings.circle())
    ours.start()

    def around(count: int) -> float:
        server, database = cpu_ms(ours.worker), postgres_cpu(ours.platform)
        for _ in range(count):
            (task,) = ours.tasks()
            if ours.submit(task, "again") >= 400:
                raise SystemExit("a step of the long case was refused")
        return (cpu_ms(ours.worker) - server + postgres_cpu(ours.platform) - database) / count

    (task,) = ours.tasks()
    ours.learn(task)
    around(20)
    block = min(max(steps // 5, 20), 100)
    first = around(block)
    around(steps - 20 - 2 * block)
    return first, around(block)


def inbox(ours: Ours, times: int = 110) -> list[float]:
    """Milliseconds of the inbox page."""
    taken = []
    for number in range(times):
        began = time.perf_counter()
        if ours.browser.get("/desk").status != 200:
            raise SystemExit("the inbox didn't open")
        if number >= 10:
            taken.append((time.perf_counter() - began) * 1000)
    return taken


def inboxes(ours: Ours) -> list[Row]:
    """The inbox page when ``INBOX`` tasks are open and ``OWN_SHARE`` of them with the reader; then when all of them are."""
    drawings.fill_inbox(ours.platform, INBOX)
    title = f"在办 {INBOX:,} 件、本人 {drawings.OWN_SHARE} 件的工作台"
    found = inbox_rows(ours, title)
    drawings.give_all(ours.platform)
    return [*found, *inbox_rows(ours, f"在办 {INBOX:,} 件全在一人手里的工作台")]


def inbox_rows(ours: Ours, title: str) -> list[Row]:
    spent, database = cpu_ms(ours.worker), postgres_cpu(ours.platform)
    taken = inbox(ours)
    spent, database = (cpu_ms(ours.worker) - spent) / 110, (postgres_cpu(ours.platform) - database) / 110
    return [(f"{title}，95%，毫秒", f"{percentile(taken, 0.95):.1f}（中位数 {percentile(taken, 0.5):.1f}）", "≤ 15", ""),
            ("同上，CPU，毫秒：服务、数据库", f"{spent:.1f}、{database:.1f}", "", "")]


Row = tuple[str, str, str, str]


def compared(ours: Submits, other: Submits | None) -> list[Row]:
    rows = [
        ("一次提交的 SQL 语句", f"{ours.statements:.1f}", "≤ 14", f"{other.statements:.1f}" if other else "—"),
        ("一次提交的 COMMIT", f"{ours.commits:.2f}", "1", f"{other.commits:.2f}" if other else "—"),
        ("服务进程 CPU，毫秒", f"{ours.server:.1f}", "≤ 5", f"{other.server:.1f}" if other else "—"),
        ("数据库 CPU，毫秒", f"{ours.database:.1f}", "", f"{other.database:.1f}" if other else "—"),
        ("客户端 CPU，毫秒", f"{ours.driver:.1f}", "", f"{other.driver:.1f}" if other else "—"),
        ("用时中位数，毫秒", f"{percentile(ours.taken, 0.5):.1f}", "", f"{percentile(other.taken, 0.5):.1f}" if other else "—"),
        ("用时 95%，毫秒", f"{percentile(ours.taken, 0.95):.1f}", "≤ 15", f"{percentile(other.taken, 0.95):.1f}" if other else "—"),
        ("每秒提交", f"{ours.each_second:.0f}", "", f"{other.each_second:.0f}" if other else "—"),
    ]
    ratio = f"{ours.each_second / other.each_second:.2f}" if other else "没有量：装不上 viewflow（没有网络）"
    spent = f"{(other.server + other.database) / (ours.server + ours.database):.2f}" if other else "—"
    return [*rows, ("每秒提交与 viewflow 之比", ratio, "≥ 2", "1"), ("同样的 CPU（服务加数据库）能提交几倍", spent, "", "1")]


def main() -> None:
    options = _options()
    python = environment()
    with scratch() as platform:
        parts, ours = Parts(options.minutes * 60), Ours(platform)
        ours.deploy(drawings.approval())
        parts.do("三步审批", "", lambda: compared(*beside(ours, platform, python, options.cases)), limit=180)
        parts.do("办完一件占用，KB", "≤ 10", lambda: [("办完一件占用，KB", f"{case_bytes(platform) / 1024:.1f}", "≤ 10", "")], limit=20)
        ours.browser.connection.close()
        parts.do("长案件", "≤ 1.10", lambda: circling(ours, options.steps), limit=150)
        ours.browser.connection.close()
        parts.do("工作台", "≤ 15", lambda: inboxes(ours), limit=240)
        parts.do("内存", "", lambda: [("网页进程内存，MB", f"{resident_kb(ours.worker) / 1024:.0f}", "< 250", "")], limit=5)
    parts.do("FEEL", "", feel_rows, limit=30)
    parts.do("到期的定时器", "≥ 10,000", lambda: apart("waiting.py", "--cases", "0", "--children", "0", "--timers", str(options.timers)), limit=150)
    parts.do("分办", "≤ 30 秒", lambda: apart("waiting.py", "--cases", "0", "--timers", "0"), limit=120)
    parts.do("权限", "≤ 1 毫秒", lambda: apart("rights.py"), limit=90)
    written = table(parts.rows)
    print(written)
    OUT.write_text(written, encoding="utf-8")


def circling(ours: Ours, steps: int) -> list[Row]:
    first, last = long_case(ours, steps)
    return [(f"第 {steps} 步与第一步的 CPU 之比", f"{last / first:.2f}（{first:.1f} → {last:.1f} 毫秒）", "≤ 1.10", "")]


def feel_rows() -> list[Row]:
    evaluate, table = feel.example(), feel.table_of_1000()
    return [("FEEL 例句，微秒", f"{evaluate:.2f}", "≤ 1", ""), ("1000 条规则的决策表，毫秒", f"{table:.3f}", "≤ 1", "")]


def table(rows: Sequence[Row]) -> str:
    head = f"机器：{os.cpu_count()} 核，量完时前一刻钟的平均负载 {os.getloadavg()[2]:.1f}，{time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC"
    return "\n".join([head, "", "| 量什么 | 规程 | 要求 | viewflow |", "|---|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows), ""])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=60, help="cases of three submits each to measure")
    parser.add_argument("--timers", type=int, default=10_000, help="due timers for two workers")
    parser.add_argument("--minutes", type=float, default=10, help="the whole ends after so many")
    parser.add_argument("--steps", type=int, default=1000, help="steps of the long case")
    return parser.parse_args()


if __name__ == "__main__":
    main()
