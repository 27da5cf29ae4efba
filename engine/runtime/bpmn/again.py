"""Do again what a start did, up to the moment before its first step was finished."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine.runtime.bpmn.deploy import CompiledProcess
from engine.runtime.bpmn.journal import Call, decode
from engine.runtime.bpmn.machine import Machine


def begin_again(
    process: CompiledProcess, moves: Mapping[str, Any], *, before: str, decide: Callable[[str, Mapping[str, Any]], Mapping[str, Any]],
) -> tuple[Machine, list[str], list[str]]:
    """(machine, flows, nodes) of the ``moves`` kept with a start, as far as the first call on the token ``before``.

    The ids of tokens are those of the first time (see ``journal``), so that rows which name them still fit.
    """
    (_, args, kwargs), *calls = moves["calls"]
    machine: Machine = Machine.start(process, *_decoded(args), **_named(kwargs), decide=decide, seed=moves["seed"])  # type: ignore[call-arg]
    flows: list[str] = []
    nodes: list[str] = []
    for name, args, kwargs in _until(calls, before):
        step = getattr(machine, name)(*_decoded(args), **_named(kwargs))
        if name == "advance":
            flows += step.flows
            nodes += step.nodes
    return machine, flows, nodes


def _until(calls: list[Call], token: str) -> list[Call]:
    last = next((number for number, (_, args, _) in enumerate(calls) if token in args), len(calls))
    return calls[:last]


def _decoded(args: list[Any]) -> list[Any]:
    return [decode(value) for value in args]


def _named(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: decode(value) for name, value in kwargs.items()}
