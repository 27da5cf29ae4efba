"""Look at an uploaded file in a process of its own first: whatever it does to a parser, it ends after a while and within memory."""
from __future__ import annotations

import json
import resource
import subprocess
import sys

from engine.kernel.errors import DeployRefused, GuichengError
from engine.kernel.settings import ROOT
from engine.runtime.bpmn.deploy import compile_process
from engine.runtime.bpmn.errors import finding

SECONDS = 10.0
MEMORY = 1024 * 1024 * 1024


def guard(xml: bytes, *, name: str, seconds: float = SECONDS) -> None:
    """Raise DeployRefused for a file that can't be analysed within time and memory."""
    outcome = look(xml, name=name, seconds=seconds)
    if outcome is not None:
        raise DeployRefused(outcome, findings=[finding("", "too_slow", outcome)])


def look(xml: bytes, *, name: str, seconds: float = SECONDS) -> str | None:
    """None when the file could be read and analysed in time (whether it is right or not), else a Chinese message."""
    command = [sys.executable, "-m", "engine.runtime.bpmn.watchdog", name]
    try:
        done = subprocess.run(command, input=xml, capture_output=True, timeout=seconds, cwd=ROOT, check=False)
    except subprocess.TimeoutExpired:
        return f"流程图的分析超过 {seconds:g} 秒仍未结束，已停止。请拆分成几个流程后再部署。"
    if done.returncode != 0:
        return "流程图不能分析：分析时耗尽了内存或出现故障。请拆分成几个流程，或用流程设计器重新导出后再部署。"
    return None


def main() -> None:
    """Compile standard input; what is wrong with it, the caller finds out again by itself."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        compile_process(sys.stdin.buffer.read(), name=sys.argv[1], resolve=lambda _: None, strict=False)
    except GuichengError as error:
        sys.stdout.write(json.dumps({"code": error.code}))


if __name__ == "__main__":
    main()
