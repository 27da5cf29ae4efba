"""Facts on the way to another version: kept by name; a value that its new type can't hold is an obstacle."""
from __future__ import annotations

from typing import Any

from SpiffWorkflow.task import Task

from engine.kernel.names import pack_of
from engine.runtime.bpmn.model import Model, Name
from engine.runtime.bpmn.moving.verdict import Obstacle, Verdict
from engine.runtime.bpmn.values import literal, plain, qualified

JSON_TYPES = {"number": (int, float), "boolean": (bool,), "list": (list,), "context": (dict,)}
WORDS = {"number": "数字", "boolean": "是否", "text": "文字", "list": "列表", "date": "日期"}


def declared(model: Model) -> dict[str, Name]:
    """Everything a process declares: parameters, results, facts."""
    return {**model.facts, **model.results, **model.parameters}


def fits_type(value: Any, kind: str) -> bool:
    """True when a stored value can be a fact of the declared type; anything goes where nothing (or an unknown type) is declared."""
    if value is None or kind in ("", "any"):
        return True
    if kind in JSON_TYPES:
        return isinstance(value, JSON_TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if kind in ("text", "date"):
        return isinstance(value, str) if kind == "date" else not isinstance(value, bool | int | float)
    return not isinstance(value, bool | int | float)


def carry(old: Any, new: Any, verdict: Verdict) -> None:
    """Compare the facts of one process with what the new version declares; new parameters get their defaults."""
    before, after = declared(old.spec.model), declared(new.spec.model)
    held = new.facts or {}
    for name, one in after.items():
        value, was = held.get(name), before.get(name)
        if was is not None and was.type != one.type and not fits_type(value, one.type):
            words = f"{WORDS.get(was.type, was.type)}改成了{WORDS.get(one.type, one.type)}"
            verdict.obstacles.append(Obstacle(element=name, message=f"事实“{one.title or name}”由{words}，现在的值“{value}”放不进去。请先更正它的值。"))
        elif was is not None and was.type != one.type:
            verdict.facts.append(Obstacle(element=name, message=f"事实“{one.title or name}”的类型由 {was.type} 改为 {one.type}，现在的值可以沿用。"))
        elif was is None and name not in held:
            _newly(one, new, verdict)
    gone = [one for name, one in before.items() if name not in after and held.get(name) is not None]
    verdict.facts += [Obstacle(element=one.name, message=f"新版不再声明事实“{one.title or one.name}”，值留着，新版不再读它。") for one in gone]


def _newly(one: Name, new: Any, verdict: Verdict) -> None:
    model = new.spec.model
    if one.default is not None and not one.default.startswith("="):
        new.facts[one.name] = qualified(literal(one.default, one.type), one.type, pack_of(model.process))
        return
    if one.required and one.name in model.parameters:
        verdict.obstacles.append(Obstacle(element=one.name, message=f"新版要有“{one.title or one.name}”才能办，在办案件没有这个值。"))
        return
    verdict.facts.append(Obstacle(element=one.name, message=f"新版多了事实“{one.title or one.name}”，在办案件还没有值。"))


def fill_parameters(owner: Task, made: Any) -> None:
    """Parameters that the called process has only in the new version, as its call gives them; raises FlowError when a required one has no value."""
    wanted = [name for name in made.spec.model.parameters if name not in made.facts]
    if wanted:
        given = owner.task_spec._parameters(owner, made.spec.model)
        made.facts.update({name: plain(given[name], name=name) for name in wanted if name in given})
