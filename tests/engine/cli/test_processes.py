"""Children are started, restarted when they fall, and stopped to the last one."""
from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.cli import processes
from engine.cli.processes import Child, Children


@pytest.fixture
def make_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Child]:
    """A child whose command is a shell line."""
    shell = tmp_path / "shell"
    shell.write_text('#!/bin/sh\nshift 2\nexec /bin/sh -c "$1"\n')
    shell.chmod(0o755)
    monkeypatch.setattr(processes.sys, "executable", str(shell))
    return lambda line: Child(name="x", title="子进程", arguments=[line], environment=dict(os.environ), log=tmp_path / "logs" / "x.log")


def test_what_a_child_says_goes_to_its_log(make_child: Callable[[str], Child]) -> None:
    child = make_child("echo 一; echo 二; exit 3")
    child.start()
    _wait(child.fell)
    assert child.last_words() == "一\n二"


def test_a_fallen_child_is_started_again_after_a_pause(make_child: Callable[[str], Child]) -> None:
    child = make_child("exit 1")
    children = Children([child])
    children.start()
    _wait(lambda: children.revive() == [child])
    assert child.process is None
    _wait(lambda: bool(children.revive() or child.process))
    assert child.falls == 1 or child.process is None


def test_a_child_that_ignores_the_request_to_stop_is_killed_with_its_own_children(make_child: Callable[[str], Child]) -> None:
    child = make_child("trap '' TERM; sleep 60 & while true; do sleep 1; done")
    children = Children([child])
    children.start()
    assert child.process is not None
    group = child.process.pid
    time.sleep(0.2)
    children.stop(seconds=0.5)
    _wait(lambda: not _alive(group))


def test_a_log_that_grew_too_large_is_set_aside(make_child: Callable[[str], Child], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LARGEST_LOG", 10)
    child = make_child("echo new")
    child.log.parent.mkdir()
    child.log.write_text("x" * 11)
    child.start()
    _wait(child.fell)
    assert child.log.read_text() == "new\n"
    assert child.log.with_name("x.log.1").exists()


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _wait(condition: Callable[[], bool], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
