"""Child processes of `up`: started with their own log, restarted when they fall, stopped in order."""
from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from engine.kernel.settings import ROOT

_PR_SET_PDEATHSIG = 1
LARGEST_LOG = 20 * 1024 * 1024
PAUSES = (0.5, 1, 2, 5, 10)


@dataclass(kw_only=True)
class Child:
    """One long-running command of `python -m engine`."""

    name: str
    title: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    falls: int = 0
    started_at: float = 0.0
    again_at: float = field(default=0.0)

    def start(self) -> None:
        """Start it; its output goes to the end of its log."""
        _rotate(self.log)
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "engine", *self.arguments], cwd=ROOT, env=dict(self.environment), stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=_die_with_parent,
            )
        self.started_at = time.monotonic()

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait_until_stopped(self, seconds: float) -> None:
        """Wait, then kill whatever is left of it."""
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=max(0.1, seconds))
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def fell(self) -> bool:
        """Has it ended by itself? Then the pause before the next start grows with each fall in a row."""
        if self.process is None or self.process.poll() is None:
            return False
        self.falls = 0 if time.monotonic() - self.started_at > 60 else self.falls
        self.again_at = time.monotonic() + PAUSES[min(self.falls, len(PAUSES) - 1)]
        self.falls += 1
        self.process = None
        return True

    def last_words(self, lines: int = 12) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 8192))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


class Children:
    """All of them, under one supervisor."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = list(children)

    def start(self, *, first: int | None = None) -> None:
        """Start all, or the first few; ``revive`` starts the others."""
        for child in self.children[:first]:
            child.start()

    def revive(self) -> list[Child]:
        """Start who doesn't run yet and who has fallen and paused; return those that have just been found fallen."""
        fallen = [child for child in self.children if child.fell()]
        for child in self.children:
            if child.process is None and time.monotonic() >= child.again_at:
                child.start()
        return fallen

    def stop(self, seconds: float = 20) -> None:
        """Ask all at once, wait for each, kill what stays."""
        until = time.monotonic() + seconds
        for child in self.children:
            child.ask_to_stop()
        for child in self.children:
            child.wait_until_stopped(until - time.monotonic())


def _die_with_parent() -> None:
    """Ask Linux to end this child when its supervisor is killed without a chance to stop it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _rotate(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_name(log.name + ".1"))
