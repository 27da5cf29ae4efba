"""A hundred people sign in at once: how long the slowest waits, and how much memory the web worker takes.

    .venv/bin/python bench/sign_in.py [people, default 100]
"""
from __future__ import annotations

import http.client
import re
import sys
import threading
import time
from urllib.parse import urlencode, urlsplit

from scratch import Scratch, cpu_ms, resident_kb, scratch

from engine.kernel.settings import DEMO_PASSWORD

Row = tuple[str, str, str]


class Person(threading.Thread):
    """Fetches the page, waits for the others, then sends the password; ``took`` seconds until the answer."""

    def __init__(self, base: str, login: str, start: threading.Barrier) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
        self.login, self.ready, self.took, self.status = login, start, 0.0, 0

    def run(self) -> None:
        self.connection.request("GET", "/login")
        page = self.connection.getresponse()
        cookie = (page.getheader("Set-Cookie") or "").partition(";")[0]
        found = re.search(r'name="csrf" value="([^"]+)"', page.read().decode())
        body = urlencode({"csrf": found[1] if found else "", "login": self.login, "password": DEMO_PASSWORD})
        self.ready.wait()
        began = time.perf_counter()
        self.connection.request("POST", "/login", body, {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded", "User-Agent": "bench"})
        answer = self.connection.getresponse()
        answer.read()
        self.took, self.status = time.perf_counter() - began, answer.status


def measure(platform: Scratch, people: int) -> list[Row]:
    """One burst of ``people`` different accounts."""
    with platform.connect() as connection:
        logins = [str(row[0]) for row in connection.execute("SELECT login FROM account WHERE active ORDER BY login LIMIT %s", (people,)).fetchall()]
    start = threading.Barrier(len(logins) + 1)
    crowd = [Person(platform.base, login, start) for login in logins]
    most, worker = 0, platform.web_worker()
    for one in crowd:
        one.start()
    while start.n_waiting < len(crowd):
        time.sleep(0.02)
    before = cpu_ms(worker)
    start.wait()
    while any(one.is_alive() for one in crowd):
        most = max(most, resident_kb(worker))
        time.sleep(0.02)
    used = cpu_ms(worker) - before
    times = sorted(one.took for one in crowd)
    inside = sum(one.status == 303 for one in crowd)
    return [
        (f"{len(crowd)} 人同时登录，最慢的一个", f"{times[-1]:.2f} 秒（中位 {times[len(times) // 2]:.2f} 秒，成功 {inside} 人）", "≤ 3 秒"),
        ("一次登录，网页进程的 CPU", f"{used / len(crowd):.1f} 毫秒", ""),
        ("其间网页进程的内存最高", f"{most / 1024:.0f} MB", "≤ 400 MB"),
    ]


def rows(*, people: int = 100) -> list[Row]:
    """(what, figure, aim)."""
    with scratch() as platform:
        return measure(platform, people)


if __name__ == "__main__":
    for what, figure, aim in rows(people=int(sys.argv[1]) if len(sys.argv) > 1 else 100):
        print(f"{what}：{figure}" + (f"（要求 {aim}）" if aim else ""))
