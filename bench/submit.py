"""What one submit costs: SQL statements, commits, CPU, latency, memory. Repeat with `make bench`.

Starts a scratch platform with the demo city, lets officers borrow umbrellas through the pages, then measures a keeper
who hands them over, one POST after the other, as a browser sends them. Statements are counted by PostgreSQL
(pg_stat_statements), so nothing escapes; CPU is the web worker's own, read from /proc. The job worker doesn't run
meanwhile. `--ledger FILE` writes the statements of one submit as a table.
"""
from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from browser import Browser, form_to, values_of
from scratch import Scratch, cpu_ms, resident_kb, scratch

PASSWORD = "Guicheng-2026"
OFFICER, KEEPER = "jingan.suo1.chengban1", "jingan.suo1.fuzeren"
START = "/start/borrow_umbrella/borrow_umbrella"
FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One normalised statement and how often it ran per submit."""

    text: str
    calls: float

    @property
    def is_frame(self) -> bool:
        return self.text.upper().startswith(FRAME)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """``milliseconds`` are the latencies as the client saw them, ``cpu`` the worker's CPU per submit."""

    statements: Sequence[Statement]
    milliseconds: Sequence[float]
    cpu: float

    @property
    def count(self) -> float:
        return sum(s.calls for s in self.statements if not s.is_frame)

    @property
    def commits(self) -> float:
        return sum(s.calls for s in self.statements if s.text.upper().startswith("COMMIT"))

    def percentile(self, share: float) -> float:
        return sorted(self.milliseconds)[min(len(self.milliseconds) - 1, round(share * len(self.milliseconds)))]


def main() -> None:
    options = _options()
    with scratch() as platform:
        officer, keeper = Browser(platform.base), Browser(platform.base)
        officer.sign_in(OFFICER, PASSWORD)
        keeper.sign_in(KEEPER, PASSWORD)
        tasks = _open_tasks(platform, officer, options.warm + options.count)
        for task in tasks[: options.warm]:
            _submit(keeper, task)
        measured = _measure(platform, keeper, tasks[options.warm :])
        memory = resident_kb(platform.web_worker()) / 1024
    _print(measured, memory)
    if options.ledger:
        options.ledger.write_text(_ledger(measured, memory))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100, help="submits to measure")
    parser.add_argument("--warm", type=int, default=20, help="submits before, not measured")
    parser.add_argument("--ledger", type=Path, help="file for the table of statements")
    return parser.parse_args()


def _open_tasks(platform: Scratch, officer: Browser, wanted: int) -> list[str]:
    for number in range(wanted):
        form = form_to(officer.get(START).page, START)
        answer = officer.post(START, {**values_of(form), "data.place": f"第 {number + 1} 个去处", "data.days": "1", "outcome": "submit"})
        if answer.status >= 400:
            raise SystemExit(f"an umbrella wasn't lent: {answer.status}\n{answer.text[:2000]}")
    query = "SELECT id::text FROM task WHERE node = 'hand_over' AND status = 'open' ORDER BY opened_at"
    with platform.worker(), platform.connect() as connection:
        until = time.monotonic() + 120
        while len(rows := connection.execute(query).fetchall()) < wanted:
            if time.monotonic() > until:
                raise SystemExit(f"only {len(rows)} of {wanted} tasks opened")
            time.sleep(0.5)
    return [str(row[0]) for row in rows[:wanted]]


def _submit(keeper: Browser, task: str) -> float:
    values = _filled(keeper, task)
    began = time.perf_counter()
    answer = keeper.post(f"/tasks/{task}/complete", values)
    took = (time.perf_counter() - began) * 1000
    if answer.status >= 400:
        raise SystemExit(f"a submit was refused: {answer.status}\n{answer.text[:2000]}")
    return took


def _filled(keeper: Browser, task: str) -> dict[str, str]:
    form = form_to(keeper.get(f"/tasks/{task}").page, f"/tasks/{task}/complete")
    return {**values_of(form), "outcome": "lent"}


def _measure(platform: Scratch, keeper: Browser, tasks: Sequence[str]) -> Measured:
    """Pages are fetched before, so that only the submits fall into the measured time."""
    filled = [(task, _filled(keeper, task)) for task in tasks]
    worker = platform.web_worker()
    with platform.connect() as connection:
        connection.execute("SELECT pg_stat_statements_reset()")
        before, taken = cpu_ms(worker), []
        for task, values in filled:
            began = time.perf_counter()
            answer = keeper.post(f"/tasks/{task}/complete", values)
            taken.append((time.perf_counter() - began) * 1000)
            if answer.status >= 400:
                raise SystemExit(f"a submit was refused: {answer.status}")
        cpu = (cpu_ms(worker) - before) / len(tasks)
        rows = connection.execute(
            "SELECT query, calls FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%' ORDER BY calls DESC, query"
        ).fetchall()
    statements = [Statement(text=" ".join(str(query).split()), calls=int(str(calls)) / len(tasks)) for query, calls in rows]
    return Measured(statements=statements, milliseconds=taken, cpu=cpu)


def _print(measured: Measured, memory: float) -> None:
    print(f"submits measured        {len(measured.milliseconds)}")
    print(f"SQL statements a submit {measured.count:.2f}")
    print(f"commits a submit        {measured.commits:.2f}")
    print(f"CPU ms a submit         {measured.cpu:.1f}")
    print(f"latency ms              p50 {measured.percentile(0.5):.1f}  p95 {measured.percentile(0.95):.1f}  mean {statistics.mean(measured.milliseconds):.1f}")
    print(f"web worker RSS MB       {memory:.0f}")
    print("repeat                  make bench")
    for statement in measured.statements:
        print(f"  {statement.calls:5.2f}  {statement.text[:120]}")


def _ledger(measured: Measured, memory: float) -> str:
    lines = [
        "# 一次提交的语句", "",
        "演示城市里保管员交出一把伞，从浏览器发出的那一次 POST。语句由 PostgreSQL 自己计数（pg_stat_statements）：",
        f"{measured.count:.0f} 条语句，{measured.commits:.0f} 次提交；规定是不超过 14 条、1 次。网页进程 CPU {measured.cpu:.0f} 毫秒，"
        f"用时中位数 {measured.percentile(0.5):.0f} 毫秒、95% 在 {measured.percentile(0.95):.0f} 毫秒内，网页进程占内存 {memory:.0f} MB。", "",
        "重做一遍：`.venv/bin/python bench/submit.py --ledger FILE`。", "", "| 次数 | 语句 |", "|---|---|",
    ]
    for statement in measured.statements:
        shown = statement.text[:160].replace("|", "\\|")
        lines.append(f"| {statement.calls:.2f} | `{shown}` |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
