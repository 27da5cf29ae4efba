"""Try a file in a process of its own, so that whatever its bytes do to a parser, the answer comes in time."""
from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from engine.kernel.settings import ROOT
from engine.runtime.bpmn.read import MAX_BYTES

SECONDS = 7.0
Result = dict[str, Any]


def run_trial(xml: bytes, *, facts: Mapping[str, Any], seconds: float = SECONDS) -> list[Result]:
    """One result per process: ``process``, ``outcome`` (waiting, completed, refused, incident), ``at`` (elements), ``findings``.

    Never raises for what is in the file; processes that aren't through after ``seconds`` (all together) are refused.
    """
    if len(xml) > MAX_BYTES:
        return [_refused("", "too_large", f"流程图文件超过 {MAX_BYTES // 1024 // 1024} MB，请拆分成多个流程后再试。")]
    command = [sys.executable, "-m", "engine.runtime.bpmn.trial"]
    given = json.dumps(dict(facts)).encode() + b"\n" + xml
    try:
        output = subprocess.run(command, input=given, capture_output=True, timeout=seconds, cwd=ROOT, check=False).stdout
        failure = ("failure", "流程图不能分析：分析时耗尽了内存或出现故障。请拆分成几个流程，或用流程设计器重新导出。")
    except subprocess.TimeoutExpired as late:
        output = late.stdout or b""
        failure = ("too_slow", f"流程图的分析超过 {seconds:g} 秒仍未结束，已停止。请拆分成几个流程。")
    return _collect(output, *failure)


def _collect(output: bytes, rule: str, message: str) -> list[Result]:
    lines = [json.loads(line) for line in output.split(b"\n")[:-1]]
    if not lines:
        return [_refused("", rule, message)]
    found, names = lines[1:], lines[0]
    return found + [_refused(name, rule, message) for name in names[len(found):]]


def _refused(process: str, rule: str, message: str) -> Result:
    return {"process": process, "outcome": "refused", "at": [], "findings": [{"element": process, "rule": rule, "message": message}]}
