"""docs/api.md: its example runs as it stands, against a real server; what it says of codes and limits is so."""
from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.form_filling.widgets import all_widgets
from engine.web.api import screen
from tests.engine.web.api.caller import Caller
from tests.town import Town

ROOT = Path(__file__).resolve().parents[4]
GUIDE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def example() -> str:
    """The Python of the guide, in order."""
    return "\n".join(re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL))


@pytest.fixture
def server(town: Town) -> Iterator[str]:
    """The address of a granian server on the town's database, with a worker beside it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = town.app.settings
    (settings.data_dir / "secret_key").write_bytes(settings.secret_key)
    environment = {**os.environ, "DATABASE_URL": settings.database_url, "GUICHENG_DATA": str(settings.data_dir), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "engine", "serve", "--port", str(port)], cwd=ROOT, env=environment)
    stop = threading.Event()
    worker = threading.Thread(target=_work, args=(town, stop))
    worker.start()
    try:
        _wait(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop.set()
        worker.join()
        process.terminate()
        process.wait(20)


def _work(town: Town, stop: threading.Event) -> None:
    while not stop.wait(0.3):
        town.app.jobs.run_due(town.app)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/api/openapi.json", timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server did not answer")


def test_the_example_runs_as_it_stands(town: Town, server: str, caller: Callable[[str], Caller], tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(example(), encoding="utf-8")
    environment = {**os.environ, "GUICHENG_URL": server, "GUICHENG_TOKEN": caller("officer").token, "SECOND_OFFICER": "程砚白", "PYTHONIOENCODING": "utf-8"}

    ran = subprocess.run([sys.executable, str(script)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "顾明川" in ran.stdout and "办好了：" in ran.stdout
    assert (tmp_path / "立案审批表.pdf").read_bytes().startswith(b"%PDF")


def test_every_widget_has_its_value_described() -> None:
    table = GUIDE[GUIDE.index("| `x-gc.widget`"):GUIDE.index("历史里的填报")]
    described = {name for row in table.splitlines()[2:] if row for name in re.findall(r"[a-z_]+", row.split("|")[1])}
    assert described == set(all_widgets())


def test_the_limits_are_as_written() -> None:
    assert f"JSON 请求 {screen.LARGEST_JSON // 2**20} MB、嵌套 {screen.DEEPEST} 层" in GUIDE
    assert f"每个令牌每分钟 {screen.PER_MINUTE} 次" in GUIDE


def test_every_code_of_the_api_is_listed() -> None:
    from engine.web.api import errors

    listed = set(re.findall(r"`([a-z_]+)`", GUIDE[GUIDE.index("| 状态 | code |"):GUIDE.index("每个回答都有")]))
    assert {code for code, _ in errors.HTTP.values()} | set(errors.WORDS) <= listed
    assert {"token_required", "bad_token", "not_ready", "key_required", "bad_json", "bad_cursor", "already_done", "internal"} <= listed
