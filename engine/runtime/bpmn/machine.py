"""One running instance: the API that the acts above use. No clock, no database; ``now`` is passed in."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from SpiffWorkflow import TaskState
from SpiffWorkflow.task import Task

from engine.expressions.builtin_temporal import AT
from engine.kernel.names import pack_of
from engine.runtime.bpmn import attributes, codec, invariants
from engine.runtime.bpmn.activities import ManualTask, ServiceTask, UserTask, apply_outputs, hand_on, write_facts
from engine.runtime.bpmn.catching import catch_at, find_catcher, fire
from engine.runtime.bpmn.deploy import CompiledProcess
from engine.runtime.bpmn.errors import FlowError, IllegalTarget, NotWaiting
from engine.runtime.bpmn.journal import Journal, journaled
from engine.runtime.bpmn.jump import jump
from engine.runtime.bpmn.model import Model
from engine.runtime.bpmn.prune import prune
from engine.runtime.bpmn.scopes import begin
from engine.runtime.bpmn.steps import run_to_waits, skip, unpark
from engine.runtime.bpmn.tally import Ballot, ballots
from engine.runtime.bpmn.throwing import broadcast
from engine.runtime.bpmn.tokens import cancel_all, enter, find_task, new_task
from engine.runtime.bpmn.values import literal, plain, qualified
from engine.runtime.bpmn.waits import UserWait, Wait, Waits, collect_waits, places
from engine.runtime.bpmn.workflow import Decide, Top, facts_of, scope_of


@dataclass(frozen=True, kw_only=True)
class Step:
    """What moved since the last ``advance``: ids as drawn, in order; inside a called process behind its call activities: ``approve/draft``.

    flows taken, nodes entered, left and cancelled; ``errors``: tokens that are parked now (open an incident on each); ``thrown``: messages and
    signals to pass on, dicts ``{"kind", "name", "correlation", "payload", "node", "engine_id"}``.
    """

    flows: list[str] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    errors: list[FlowError] = field(default_factory=list)
    thrown: list[dict[str, Any]] = field(default_factory=list)


@journaled
class Machine:
    """An instance in memory. Acts change it, ``advance`` runs it to its next waits, ``dump`` gives the bytes to store."""

    journal: Journal

    def __init__(self, process: CompiledProcess, top: Top) -> None:
        self.process = process
        self._top = top

    @classmethod
    def start(
        cls, process: CompiledProcess, facts: Mapping[str, Any], *, now: datetime, start_event: str | None = None, decide: Decide | None = None
    ) -> Machine:
        """A new instance with its parameters, case facts (``case_id``, ``initiator_id``, ``unit_id``) and first facts; call ``advance`` next.

        ``start_event`` is the id of the start event (a message start, say); by default the plain one.
        """
        if start_event is not None and start_event not in process.spec.starts:
            raise IllegalTarget(f"流程「{process.title}」没有开始事件“{start_event}”。")
        top = Top(process.spec, process.specs, now=now, decide=decide)
        top.plant()
        top.facts = _first_facts(process, facts)
        machine = cls(process, top)
        begin(top, {"outcome": facts["outcome"]} if facts.get("outcome") is not None else {}, start=start_event)
        return machine

    @classmethod
    def start_item(
        cls, process: CompiledProcess, node: str, body: str, facts: Mapping[str, Any], item: Any, index: int, *, now: datetime, decide: Decide | None = None
    ) -> Machine:
        """One item of a fan-out as an instance of its own: the activity ``node``, which stands in the spec ``body``, once; call ``advance`` next.

        ``facts`` are what the item sees of the parent; what it writes stays with it, and ``item_facts`` tells it in the end.
        """
        top = Top(process.specs[body], process.specs, now=now, decide=decide)
        top.plant()
        top.facts = dict(facts)
        loop = process.nodes[node].loop
        data = {"loopCounter": index + 1, **({loop.item: item} if loop is not None and loop.item else {})}
        enter(new_task(top, f"{node} [child]", data=data, index=index))
        top.touched(top)
        return cls(process, top)

    @classmethod
    def load(cls, process: CompiledProcess, state: bytes, *, now: datetime, decide: Decide | None = None) -> Machine:
        """The instance that ``dump`` stored; raises BrokenState when it doesn't fit the process."""
        top = codec.load_state(state, process.specs, now=now)
        top.decide = decide
        return cls(process, top)

    def dump(self) -> bytes:
        """The state to store: live tokens only, so it doesn't grow with history."""
        prune(self._top)
        return codec.dump_state(self._top)

    def advance(self, *, now: datetime | None = None) -> Step:
        """Run everything that needs nobody, and tell what moved since the last time."""
        top = self._top
        top.now = now or top.now
        run_to_waits(top)
        step = Step(
            flows=top.flows_taken, nodes=top.nodes_entered, left=top.nodes_left, cancelled=top.nodes_cancelled, errors=top.errors, thrown=top.thrown,
        )
        top.flows_taken, top.nodes_entered, top.nodes_left, top.nodes_cancelled, top.errors, top.thrown = [], [], [], [], [], []
        prune(top)
        return step

    def complete(self, engine_id: str, facts: Mapping[str, Any], *, now: datetime | None = None) -> None:
        """A person's answer (facts and ``outcome``), or the result of a handler or decision (mapped by ``gc:output``)."""
        self._at(now)
        task = self._waiting(engine_id, TaskState.READY | TaskState.STARTED, (UserTask, ManualTask, ServiceTask))
        if isinstance(task.task_spec, ServiceTask):
            apply_outputs(task, facts)
        else:
            write_facts(task, facts)
            hand_on(task, facts)
        task.complete()

    def fail(self, engine_id: str, error_code: str, *, message: str = "", now: datetime | None = None) -> bool:
        """Deliver a BPMN error to the nearest boundary event around the token; False (nothing changed) when nobody catches it."""
        self._at(now)
        task = self._waiting(engine_id, TaskState.READY | TaskState.STARTED, (UserTask, ManualTask, ServiceTask))
        catcher = find_catcher(task, "error", error_code)
        if catcher is None:
            return False
        catch_at(catcher, {"error_code": error_code, "error_message": plain(message[:500], name="error_message")})
        return True

    def deliver(self, kind: str, name: str, payload: Mapping[str, Any], engine_id: str, *, now: datetime | None = None) -> None:
        """A message or signal arrived for the subscription ``engine_id``; raises NotWaiting when it waits no longer."""
        self._at(now)
        task = self._event(engine_id, kind)
        if task.task_spec.node.event.name != name:
            raise NotWaiting(f"该环节不在等待“{name}”。")
        fire(task, payload)

    def signal(self, name: str, *, now: datetime | None = None) -> int:
        """A signal for every event of this instance that waits for it; how many there were."""
        self._at(now)
        return broadcast(self._top, name)

    def fire_timer(self, engine_id: str, *, now: datetime | None = None) -> None:
        """The timer ``engine_id`` is due. Whether it is, the caller decides; the machine has no clock."""
        self._at(now)
        fire(self._event(engine_id, "timer"))

    def items(self, engine_id: str) -> list[Any] | None:
        """The items of a fan-out that began since the machine was loaded, for the caller to store; None for one that began before."""
        return self._top.fanned.get(engine_id)

    def item_facts(self) -> dict[str, Any]:
        """What a completed item leaves (see ``start_item``): its facts over those of the parent, and its ``outcome``."""
        return {**(self._top.facts or {}), **self._top.last_data}

    def finish_fanout(self, engine_id: str, facts: Mapping[str, Any], outcome: str | None, *, now: datetime | None = None) -> None:
        """Enough items came back: ``facts`` tell what, ``outcome`` is that of the last one. Raises NotWaiting."""
        self._at(now)
        task = find_task(self._top, engine_id)
        if task is None or "fanout" not in task.internal_data:
            raise NotWaiting("分办的事项已经不在等待。")
        task.task_spec.came_back(task, facts, outcome)

    def cancel_all(self, *, now: datetime | None = None) -> None:
        """End the instance where it stands."""
        self._at(now)
        cancel_all(self._top)

    def reschedule_timer(self, engine_id: str, due_at: datetime) -> None:
        """Move a waiting timer (its legal clock was suspended, resumed or extended)."""
        self._event(engine_id, "timer").internal_data["due"] = due_at.isoformat()

    def jump(self, engine_ids: Sequence[str], to_node: str, *, scope: str | None = None, now: datetime | None = None) -> str:
        """Return from the given tokens to an earlier task; the new token's engine id. Raises NotWaiting or IllegalTarget."""
        self._at(now)
        return str(jump(self._top, engine_ids, to_node, scope, self.process.process_of).id)

    def retry(self, engine_id: str, *, now: datetime | None = None) -> None:
        """Let a parked token try again (after ``advance`` it may be parked anew)."""
        self._at(now)
        task = find_task(self._top, engine_id)
        if task is None or "parked" not in task.internal_data:
            raise NotWaiting("该事项已经不在故障状态。请刷新页面。")
        unpark(task)

    def skip(self, engine_id: str, *, flow: str | None = None, now: datetime | None = None) -> None:
        """Go on past a parked token without its effect: a gateway by ``flow`` (default: its default flow), anything else as if done."""
        self._at(now)
        task = find_task(self._top, engine_id)
        if task is None or "parked" not in task.internal_data:
            raise NotWaiting("该事项已经不在故障状态。请刷新页面。")
        skip(task, flow)

    def write(self, engine_id: str, facts: Mapping[str, Any]) -> None:
        """Correct facts at a token (repair of an incident)."""
        task = find_task(self._top, engine_id)
        if task is None:
            raise NotWaiting("该环节已经结束。请刷新页面。")
        write_facts(task, facts)

    def repair(self, scope: str, facts: Mapping[str, Any]) -> None:
        """Correct facts of a live process, found by the call activities above it; raises NotWaiting when it is over."""
        for found, _, held in self.scopes():
            if found == scope:
                held.update({name: plain(value, name=name) for name, value in facts.items()})
                return
        raise NotWaiting("该流程已经结束。请刷新页面。")

    def scopes(self) -> list[tuple[str, Model, dict[str, Any]]]:
        """(call activities above it, model, facts) of the process and of every process it is calling."""
        workflows = [self._top, *(inner for inner in self._top.subprocesses.values() if inner.spec.standalone)]
        return [(scope_of(workflow), workflow.spec.model, workflow.facts) for workflow in workflows if workflow.facts is not None]

    def waits(self) -> Waits:
        """Everything the instance waits for now."""
        return collect_waits(self._top)

    def places(self) -> list[tuple[str, bool]]:
        """(element as drawn, whether it is a join) of every token that stands still, behind its call activities."""
        return places(self._top)

    def facts(self, engine_id: str | None = None) -> dict[str, Any]:
        """The facts visible at a token, or those of the process itself."""
        if engine_id is None:
            return dict(self._top.facts or {})
        task = find_task(self._top, engine_id)
        if task is None:
            raise NotWaiting("该环节已经结束。请刷新页面。")
        return facts_of(task)

    def wait_attributes(self, wait: Wait, *, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The ``gc:`` attributes of the node evaluated over the facts at the wait; see ``attributes.wait_attributes``."""
        return attributes.wait_attributes(self.process.process_of(wait.process), wait, {AT: self._top.now, **(extra or {})})

    @property
    def completed(self) -> bool:
        """True once no token is left."""
        return bool(self._top.completed)

    def ballots(self, engine_id: str) -> list[Ballot]:
        """How the vote stands that a token is part of; empty when it is part of none."""
        return ballots(self._top, engine_id)

    @property
    def marks(self) -> dict[str, Any]:
        """Notes of the callers that are stored with the state and go back with it; JSON."""
        return self._top.marks

    def check_invariants(self) -> None:
        """Raise BrokenState with every violation found in the state."""
        invariants.check(self)

    def tokens(self) -> list[tuple[str, str, str]]:
        """(engine id, node as drawn, state) of every live token, for tests and the operations desk."""
        return invariants.live_tokens(self._top)

    def _at(self, now: datetime | None) -> None:
        self._top.now = now or self._top.now

    def _waiting(self, engine_id: str, states: int, kinds: tuple[type, ...]) -> Task:
        task = find_task(self._top, engine_id)
        if task is None or not task.has_state(states) or not isinstance(task.task_spec, kinds) or "parked" in task.internal_data:
            raise NotWaiting("任务已经办结或被取消。请刷新页面。")
        return task

    def _event(self, engine_id: str, kind: str) -> Task:
        task = find_task(self._top, engine_id)
        event = task.task_spec.node.event if task is not None and task.state == TaskState.WAITING else None
        if task is None or event is None or event.kind != kind or "parked" in task.internal_data:
            raise NotWaiting("该环节已经不在等待。")
        return task


def _first_facts(process: CompiledProcess, facts: Mapping[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = {}
    for parameter in process.model.parameters.values():
        if parameter.default is not None and not parameter.default.startswith("="):
            first[parameter.name] = qualified(literal(parameter.default, parameter.type), parameter.type, pack_of(process.name))
    first.update({name: plain(value, name=name) for name, value in facts.items() if name != "outcome"})
    return first


__all__ = ["Machine", "Step", "UserWait", "Wait", "Waits"]
