"""Try a diagram from anywhere: each process of a file runs on the real machine, in memory, to where it first stands still.

``python -m engine.runtime.bpmn.trial`` reads a line ``{fact: value}`` and the file from standard input and writes the names of the processes,
then one JSON line per process; ``run_trial`` watches over it.
"""
from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from engine.kernel.clock import Clock
from engine.kernel.errors import GuichengError
from engine.runtime.bpmn.deploy import CompiledProcess
from engine.runtime.bpmn.errors import BrokenState, Finding
from engine.runtime.bpmn.inspect_file import inspect_each
from engine.runtime.bpmn.machine import Machine

MEMORY = 1024 * 1024 * 1024
PACK = "trial"
_WEIGHT = {"error": 0, "policy": 1, "warning": 2}


def try_each(xml: bytes, *, facts: Mapping[str, Any], now: datetime) -> Iterator[Any]:
    """First the list of the processes' ids, then one result for each (see ``run_trial``)."""
    names, results = inspect_each(xml, pack=PACK, resolve=lambda name: None, strict=False)
    yield names
    for item in results:
        if item.compiled is None:
            yield _result(item.process, "refused", [], item.findings)
        else:
            yield first_wait(item.process, item.compiled, facts=facts, now=now)


def first_wait(name: str, compiled: CompiledProcess, *, facts: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Start the process and run it until it waits, ends or can't go on."""
    try:
        machine = Machine.start(compiled, facts, now=now)
        machine.advance(now=now)
    except GuichengError as error:
        return _result(name, "incident", [], compiled.findings, [(getattr(error, "element", ""), error.message)])
    places = machine.places()
    stuck = list(dict.fromkeys((wait.node, wait.message) for wait in machine.waits().parked))
    if not stuck and places and all(is_join for _, is_join in places):
        stuck = [(places[0][0], "流程停在汇合处，它等的分支不会再来。请检查汇合之前的网关。")]
    if not stuck:
        try:
            machine.check_invariants()
        except BrokenState:
            stuck = [(places[0][0] if places else "", "流程走到了图不该有的状态：只该有一处在办的地方有了几处。请检查并行的分支是不是都有汇合。")]
    outcome = "incident" if stuck else "completed" if machine.completed else "waiting"
    return _result(name, outcome, list(dict.fromkeys(place for place, _ in places)), compiled.findings, stuck)


def _result(name: str, outcome: str, at: list[str], findings: list[Finding], stuck: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    """One result; the findings by weight, those that would refuse a deploy first."""
    shown = [{key: item[key] for key in ("element", "rule", "message")} for item in sorted(findings, key=lambda item: _WEIGHT[item["level"]])]
    shown += [{"element": element, "rule": "incident", "message": message} for element, message in stuck or []]
    return {"process": name, "outcome": outcome, "at": at, "findings": shown}


def main() -> None:
    """Try the file on standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    head, _, xml = sys.stdin.buffer.read().partition(b"\n")
    for answer in try_each(xml, facts=json.loads(head), now=Clock().now()):
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
