"""Try a file in a process of its own, so that whatever its bytes do to a parser, the answer comes in time."""
from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.kernel.settings import ROOT

MAX_BYTES = 2 * 1024 * 1024
SECONDS = 7.0
TOGETHER = 8.4
"""Seconds after a command's start when its trial ends, so that it has answered within ten on a busy machine too."""
_HERE = time.monotonic()
Result = dict[str, Any]


def seconds_left() -> float:
    """What is left of TOGETHER for the trial of a command; starting its process counts, unless it was called from within another program."""
    return max(TOGETHER - _age(), 0.5) if Path(sys.argv[0]) == ROOT / "engine" / "__main__.py" else SECONDS


def _age() -> float:
    """Seconds since this process was started, as the system has it; where it doesn't say, since this module was read."""
    try:
        with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
            began = int(file.read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - began
    except (OSError, AttributeError, ValueError, IndexError):
        age = -1.0
    since = time.monotonic() - _HERE
    return age if since <= age < since + 60 else since


def run_trial(xml: bytes, *, facts: Mapping[str, Any], seconds: float = SECONDS) -> list[Result]:
    """One result per process: ``process``, ``outcome`` (waiting, completed, refused, incident), ``at`` (elements), ``findings``.

    Never raises for what is in the file; processes that aren't through after ``seconds`` (all together) are refused.
    """
    if len(xml) > MAX_BYTES:
        return [_refused("", "too_large", f"流程图文件超过 {MAX_BYTES // 1024 // 1024} MB，请拆分成多个流程后再试。")]
    command = [sys.executable, "-m", "engine.runtime.bpmn.trial"]
    spent = _spent_by_children()
    given = json.dumps(dict(facts)).encode() + b"\n" + xml
    try:
        output = subprocess.run(command, input=given, capture_output=True, timeout=seconds, cwd=ROOT, check=False).stdout
        failure = ("failure", "流程图不能分析：分析时耗尽了内存或出现故障。请拆分成几个流程，或用流程设计器重新导出。")
    except subprocess.TimeoutExpired as late:
        output = late.stdout or b""
        if _spent_by_children() - spent < seconds / 2:
            failure = ("too_busy", f"机器太忙，{seconds:.1f} 秒里没有轮到分析完，已停止，不是图有问题。请过一会儿再试。")
        else:
            failure = ("too_slow", f"流程图的分析超过 {seconds:.1f} 秒仍未结束，已停止。请拆分成几个流程。")
    return _collect(output, *failure)


def _spent_by_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _collect(output: bytes, rule: str, message: str) -> list[Result]:
    lines = [json.loads(line) for line in output.split(b"\n")[:-1]]
    if not lines:
        return [_refused("", rule, message)]
    found, names = lines[1:], lines[0]
    return found + [_refused(name, rule, message) for name in names[len(found):]]


def _refused(process: str, rule: str, message: str) -> Result:
    return {"process": process, "outcome": "refused", "at": [], "findings": [{"element": process, "rule": rule, "message": message}]}
