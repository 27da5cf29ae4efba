"""Does the acts of a bundle again: the pinned diagrams, the engine, the calls; what comes out must be what was kept."""
from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.decisions import compile_dmn
from engine.kernel.names import name_of
from engine.runtime.bpmn.deploy import CompiledProcess, compile_process
from engine.runtime.bpmn.journal import decode, state_digest
from engine.runtime.bpmn.machine import Machine

MAKING = ("start", "start_item")
MOVES = frozenset(name for name, member in vars(Machine).items() if callable(member) and not name.startswith("_") and not isinstance(member, classmethod))


class ReplayFailed(ValueError):
    """The acts don't lead to what was kept; the Chinese message says where."""


@dataclass(kw_only=True)
class Replayed:
    """What came of one instance: steps taken in order, tasks open at the end, how many acts, states taken from the file."""

    instance: str
    title: str
    acts: int = 0
    nodes: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    completed: bool = False
    resumed: int = 0


class Content:
    """Diagrams and decisions of one file, compiled at first need. ``read(id)`` gives the bytes of a definition."""

    def __init__(self, bundles: Mapping[str, Mapping[str, str]], read: Callable[[str], bytes]) -> None:
        self._bundles, self._read = bundles, read
        self._compiled: dict[tuple[str, str], CompiledProcess | None] = {}
        self._decisions: dict[str, Any] = {}

    def process(self, bundle: str, name: str) -> CompiledProcess | None:
        id = self._members(bundle).get(f"process:{name}")
        if id is None:
            return None
        if (bundle, id) not in self._compiled:
            self._compiled[bundle, id] = compile_process(self._read(id), name=name, resolve=lambda called: self.process(bundle, called))
        return self._compiled[bundle, id]

    def decider(self, bundle: str, at: datetime) -> Callable[[str, Mapping[str, Any]], Mapping[str, Any]]:
        def decide(name: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
            id = self._members(bundle).get(f"decision:{name}")
            if id is None:
                raise ReplayFailed(f"文件里没有决策表 {name}")
            if id not in self._decisions:
                self._decisions[id] = compile_dmn(self._read(id))
            value = self._decisions[id].evaluate(name_of(name), facts, strict=True, at=at)
            return value if isinstance(value, Mapping) else {"result": value}

        return decide

    def _members(self, bundle: str) -> Mapping[str, str]:
        if bundle not in self._bundles:
            raise ReplayFailed(f"文件里没有流程版本 {bundle}")
        return self._bundles[bundle]


def replay(instance: Mapping[str, Any], acts: Sequence[Mapping[str, Any]], content: Content, states: Mapping[str, bytes]) -> Replayed:
    """Do the ``acts`` of one instance again from its start to its end. ``states``: states that no act led to, by digest.

    Raises ReplayFailed at the first act that does not lead to the state, path or place that was kept.
    """
    done, known = Replayed(instance=instance["id"], title=instance["title"]), dict(states)
    machine: Machine | None = None
    given = set(states)
    for expected, row in enumerate(sorted(acts, key=lambda one: one["rev_before"])):
        if row["rev_before"] != expected:
            raise ReplayFailed(f"第 {expected + 1} 次办理不见了（下一次是 {_word(row)}）")
        done.acts += 1
        if row["moves"] is None:
            continue
        done.resumed += row["moves"]["base"] in given
        machine = _again(row, content, known)
        state = machine.dump()
        digest = state_digest(state)
        if digest != row["moves"]["end"]:
            raise ReplayFailed(f"重做{_word(row)}，得到的状态与记录不同")
        known[digest] = state
        done.nodes += row["nodes"]
    if machine is None or state_digest(machine.dump()) != instance["state_digest"]:
        raise ReplayFailed("最后的状态与记录不同：少了或改了办理记录")
    done.open, done.completed = sorted(wait.engine_id for wait in machine.waits().user_tasks), machine.completed
    return done


def _again(row: Mapping[str, Any], content: Content, known: Mapping[str, bytes]) -> Machine:
    moves = row["moves"]
    process = content.process(moves["bundle"], moves["process"])
    if process is None:
        raise ReplayFailed(f"文件里没有流程图 {moves['process']}")
    calls, at = list(moves["calls"]), datetime.fromisoformat(row["at"])
    decide = content.decider(moves["bundle"], at)
    if moves["base"] is None:
        name, args, kwargs = calls.pop(0) if calls else ("", [], {})
        if name not in MAKING:
            raise ReplayFailed(f"{_word(row)}没有写明从哪里开始")
        machine: Machine = getattr(Machine, name)(process, *decode(args), **_named(kwargs), decide=decide, seed=moves["seed"])
    else:
        if moves["base"] not in known:
            raise ReplayFailed(f"{_word(row)}开始时的状态，从之前的办理推不出来")
        machine = Machine.load(process, known[moves["base"]], now=at, decide=decide, seed=moves["seed"])  # type: ignore[call-arg]
    flows, nodes = _run(machine, calls, row)
    if flows != row["flows"] or nodes != row["nodes"]:
        raise ReplayFailed(f"重做{_word(row)}，走过的路与记录不同")
    return machine


def _run(machine: Machine, calls: Sequence[Sequence[Any]], row: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    flows: list[str] = []
    nodes: list[str] = []
    for name, args, kwargs in calls:
        if name not in MOVES:
            raise ReplayFailed(f"{_word(row)}里有不认识的动作 {name}")
        result = getattr(machine, name)(*decode(args), **_named(kwargs))
        if name == "advance":
            flows += result.flows
            nodes += result.nodes
    return flows, nodes


def _named(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: decode(value) for name, value in kwargs.items()}


def _word(row: Mapping[str, Any]) -> str:
    return f"第 {row['rev_before'] + 1} 次办理“{row['title']}”（{row['actor_name']}，{row['at'][:16]}）"


def group(acts: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """(instance id, its acts) in the order of first appearance; acts beside the flow have none."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in acts:
        if row["instance_id"]:
            found.setdefault(row["instance_id"], []).append(row)
    yield from found.items()
