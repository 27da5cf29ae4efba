"""The whole platform starts with one command, stops cleanly, keeps its data."""
from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.kernel.settings import ROOT
from engine.storage.embedded import EmbeddedServer


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="guicheng-up-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    EmbeddedServer(folder).stop()
    shutil.rmtree(folder)


def test_it_answers_stops_and_comes_back_with_the_same_data(data_dir: Path) -> None:
    port = _free_port()
    for _ in range(2):
        platform = _start(data_dir, "--port", str(port), "--host", "::")
        try:
            said = _said_until(platform, "Ctrl-C")
            assert f"http://127.0.0.1:{port}/" in said
            for host in ("127.0.0.1", "[::1]"):  # one listener for both families
                with urllib.request.urlopen(f"http://{host}:{port}/login", timeout=20) as answer:
                    assert answer.status == 200
            assert _start(data_dir, "--port", str(_free_port())).wait(timeout=60) == 1
        finally:
            platform.send_signal(signal.SIGTERM)
            assert platform.wait(timeout=60) == 0
        assert not EmbeddedServer(data_dir).running()
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/login", timeout=5)


def test_after_a_kill_nothing_of_it_stays_but_the_data(data_dir: Path) -> None:
    port = _free_port()
    platform = _start(data_dir, "--port", str(port))
    _said_until(platform, "Ctrl-C")
    platform.kill()
    platform.wait(timeout=10)
    again = _start(data_dir, "--port", str(port))
    try:
        _said_until(again, "Ctrl-C")
    finally:
        again.send_signal(signal.SIGTERM)
        assert again.wait(timeout=60) == 0
    assert not EmbeddedServer(data_dir).running()


def test_a_taken_port_is_said_before_anything_starts(data_dir: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        platform = _start(data_dir, "--port", str(holder.getsockname()[1]))
        assert platform.wait(timeout=60) == 1
        assert platform.stdout is not None
        assert "--port" in platform.stdout.read()
    assert not (data_dir / "postgres").exists()


def test_set_up_only_leaves_nothing_running(data_dir: Path) -> None:
    platform = _start(data_dir, "--setup-only")
    assert platform.wait(timeout=120) == 0
    assert (data_dir / "postgres" / "cluster" / "PG_VERSION").exists()
    assert not EmbeddedServer(data_dir).running()


def _start(data_dir: Path, *options: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "PUBLIC_URL", "PORT", "HOST")}
    return subprocess.Popen(
        [sys.executable, "-m", "engine", "up", *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**environment, "GUICHENG_DATA": str(data_dir), "GUICHENG_ENV": "production", "GUICHENG_PROXIES": "127.0.0.1"},  # an encrypted proxy stands before it
    )


def _said_until(platform: subprocess.Popen[str], word: str) -> str:
    assert platform.stdout is not None
    said = ""
    for line in platform.stdout:
        said += line
        if re.search(word, line):
            return said
    raise AssertionError(said)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
