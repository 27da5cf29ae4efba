"""What a process lets people do with a step beside completing it: ``gc:allow`` of the user task, else of its process."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.kernel.errors import Forbidden
from engine.runtime.application import Application
from engine.runtime.bpmn.deploy import CompiledProcess
from engine.runtime.nodes import process_of
from engine.runtime.work import Work

ACTS: Mapping[str, str] = {"transfer": "转办", "delegate": "委派", "add_signer": "加签", "cc": "抄送", "urge": "催办", "deputy": "代办"}
DEFAULT = frozenset(ACTS)


def allowed_acts(app: Application, instance: Mapping[str, Any], task: Mapping[str, Any]) -> frozenset[str]:
    """Names of ``ACTS`` that the diagram allows at the step of ``task``; everything where it says nothing."""
    process = process_of(app, dict(instance), task["process"])
    return _read(process.nodes[task["node"]].attributes.get("allow"), process.model.attributes.get("allow"))


def allowed_in_process(app: Application, instance: Mapping[str, Any]) -> frozenset[str]:
    """As ``allowed_acts``, for the process as a whole."""
    return _read(process_of(app, dict(instance), instance["process"]).model.attributes.get("allow"))


def deputies_may(process: CompiledProcess, node: str) -> bool:
    """Whether the diagram lets a deputy stand in at the user task ``node`` of ``process``: kept in the task's row, for lists."""
    return "deputy" in _read(process.nodes[node].attributes.get("allow"), process.model.attributes.get("allow"))


def _read(*declared: str | None) -> frozenset[str]:
    words = next((text for text in declared if text is not None), None)
    return DEFAULT if words is None else frozenset(words.split()) & DEFAULT


def require_allowed(work: Work, what: str) -> None:
    """Raise Forbidden when the step at hand doesn't allow the act ``what``."""
    assert work.task is not None
    if what not in allowed_acts(work.app, work.instance, work.task):
        raise Forbidden(f"这个流程在“{work.task['title']}”这一步不允许{ACTS[what]}。", code="not_allowed_here")
