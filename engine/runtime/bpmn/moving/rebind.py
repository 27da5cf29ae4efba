"""Move an instance to another version of its process without restarting anything.

Every token keeps its id, its data and its time; it stands on the element of the same id, or on the one that a mapping names. Bodies and repeating
wrappers come along when something inside them lives. Boundary events and event sub-processes that the new version adds are armed, those it dropped
are gone. Nothing is guessed: a token without a place is a need, a state that the new diagram doesn't allow is an obstacle.
"""
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from SpiffWorkflow import TaskState
from SpiffWorkflow.task import Task

from engine.runtime.bpmn.activities import inputs_of
from engine.runtime.bpmn.deploy import CompiledProcess
from engine.runtime.bpmn.errors import BrokenState, FlowError
from engine.runtime.bpmn.loops import Repeated
from engine.runtime.bpmn.machine import Machine
from engine.runtime.bpmn.model import Node
from engine.runtime.bpmn.moving import beside, facts, soundness
from engine.runtime.bpmn.moving.places import Places, choices_for, fits_place, suggestion
from engine.runtime.bpmn.moving.verdict import Mapped, Move, Need, Obstacle, Verdict, key_of
from engine.runtime.bpmn.tokens import LIVE, new_task
from engine.runtime.bpmn.values import plain
from engine.runtime.bpmn.workflow import Decide, Sub, Top


class Refuse(Exception):
    """A token has no legal place in the new version."""

    def __init__(self, element: str, message: str) -> None:
        super().__init__(message)
        self.obstacle = Obstacle(element=element, message=message)


def rebind(machine: Machine, process: CompiledProcess, *, mapping: Mapped | None = None, now: datetime, decide: Decide | None = None) -> Verdict:
    """The instance of ``machine`` on ``process``; ``machine`` itself stays as it is. Never raises for what a diagram or state may hold."""
    return Rebinding(machine, process, mapping or {}, now, decide).run()


class Rebinding:
    """One instance on its way. ``carried``: id → new token; ``bodies``: id of an activity with a body → the body it continues."""

    def __init__(self, machine: Machine, process: CompiledProcess, mapping: Mapped, now: datetime, decide: Decide | None) -> None:
        self.machine, self.process, self.mapping = machine, process, mapping
        self.old: Any = machine._top
        self.top: Any = Top(process.specs.get(self.old.spec.name, process.spec), process.specs, now=now, decide=decide)
        self.verdict = Verdict()
        self.carried: dict[UUID, Task] = {}
        self.homes: dict[int, Any] = {}
        self.fresh: dict[tuple[int, str], Any] = {}
        self.bodies: dict[UUID, str] = {}

    def run(self) -> Verdict:
        if self.top.spec.name != self.old.spec.name:
            title = self.old.spec.model.title
            self.verdict.obstacles.append(Obstacle(element=self.old.spec.name.rsplit("/", 1)[-1], message=f"这件是「{title}」里分办的一项，新版没有那个子流程了，按原来的版本办完。"))
            return self.verdict
        self.top.plant()
        self.top.marks = dict(self.old.marks)
        self._settle_in(self.old, self.top)
        self._process(self.old, self.top)
        if not self.verdict.needs and not self.verdict.obstacles:
            self._finish()
        return self.verdict

    def _process(self, old: Any, new: Any) -> None:
        """Carry the tokens of one process (the instance's own or a called one), its bodies included."""
        facts.carry(old, new, self.verdict)
        places = Places(old, new, self.mapping)
        for workflow in self._bodies(old):
            for task in list(workflow.tasks.values()):
                if task is not workflow.task_tree and task.has_state(LIVE) and not self._follows(task):
                    self._try(task, places)

    def _bodies(self, process: Any) -> list[Any]:
        """A process and the bodies inside it, outermost first; called processes are processes of their own."""
        found = [process]
        for workflow in self.old.subprocesses.values():
            if not workflow.spec.standalone and workflow.owner.workflow in found:
                found.append(workflow)
        return found

    def _follows(self, task: Task) -> bool:
        """True for what comes along with something else: containers with what is inside, events with what they wait beside."""
        if "host" in task.internal_data or "trigger" in task.internal_data:
            return True
        inner = self.old.subprocesses.get(task.id)
        if inner is not None and not inner.spec.standalone:
            return "parked" not in task.internal_data
        return isinstance(task.task_spec, Repeated) and "parked" not in task.internal_data and not self._dealt_out(task)

    @staticmethod
    def _dealt_out(task: Task) -> bool:
        """True for a repeated activity whose items are cases of their own."""
        return isinstance(task.task_spec, Repeated) and "parked" not in task.internal_data and not any(child.has_state(LIVE) for child in task.children)

    def _try(self, task: Task, places: Places) -> None:
        try:
            if task.internal_data.keys() & {"undo", "compensates"}:
                raise Refuse(task.task_spec.node.id, f"「{task.task_spec.node.title}」正在撤销已办的事（补偿），等它办完再迁移。")
            self._carry(task, places)
        except Refuse as refused:
            if refused.obstacle not in self.verdict.obstacles:
                self.verdict.obstacles.append(refused.obstacle)
        except FlowError as error:
            self.verdict.obstacles.append(Obstacle(element=error.element or task.task_spec.node.id, message=error.message))

    def _carry(self, task: Task, places: Places) -> Task | None:
        """The new token of a live one, or None when it needs a mapping."""
        if task.id in self.carried:
            return self.carried[task.id]
        node = places.target(task, self.bodies.get(task.id))
        if node is None or not fits_place(task, node):
            self._need(task, places)
            return None
        if self._dealt_out(task) and (node.id != task.task_spec.node.id or places.chain(node) != places.old_chain(task)):
            raise Refuse(task.task_spec.node.id, f"「{task.task_spec.node.title}」已经分办成各自的案件，新版里它换了 id 或位置，等各项办完再迁移。")
        home = self._home(task, node, places)
        if home is None:
            return None
        parent = home.task_tree
        if task.parent is not task.workflow.task_tree:
            wrapper = self._carry(task.parent, places)
            if wrapper is None:
                return None
            parent, home = wrapper, wrapper.workflow
        made = self._plant(task, node, home, parent)
        if node.id != task.task_spec.node.id or places.chain(node) != places.old_chain(task):
            old = task.task_spec.node
            move = Move(process=old.process, node=old.id, title=old.title, to=node.id, to_title=node.title)
            self.verdict.moves += [] if move in self.verdict.moves else [move]
        beside.fit(task, made)
        inner = self.old.subprocesses.get(task.id)
        if inner is not None:
            self._enter(inner, made)
        return made

    def _plant(self, task: Task, node: Node, home: Any, parent: Task) -> Task:
        instance = task.task_spec.name.endswith(" [child]")
        spec = home.spec.task_specs[f"{node.id} [child]" if instance else node.id]
        made = Task(home, spec, parent, state=task.state, id=task.id)
        made.data = dict(task.data)
        made.internal_data = _copied(task.internal_data)
        self.carried[task.id] = made
        return made

    def _enter(self, inner: Any, owner: Task) -> Any:
        """The body or called process of a carried activity."""
        spec = self.process.specs[owner.task_spec.spec]
        made = Sub(spec, owner, self.top)
        made.plant()
        self.top.subprocesses[owner.id] = made
        self._settle_in(inner, made)
        if spec.standalone:
            made.facts = dict(inner.facts or {})
            facts.fill_parameters(owner, made)
            self._process(inner, made)
        elif inner.facts is not None or spec.locals:
            made.facts = {**dict.fromkeys(spec.locals), **(inner.facts or {})}
        return made

    def _settle_in(self, old: Any, new: Any) -> None:
        self.homes[id(old)] = new
        new.facts = dict(old.facts) if old.facts is not None else new.facts
        new.last_data = dict(old.last_data)
        new.compensable = [list(entry) for entry in old.compensable]

    def _home(self, task: Task, node: Node, places: Places) -> Any:
        """The workflow in which the new token stands; None when a body around it needs a mapping."""
        wanted, owners = places.chain(node), places.owners(task)
        here, stayed = places.new, 0
        for owner in owners:
            if stayed == len(wanted) or not places.continues(owner, wanted[stayed]):
                break
            self.bodies.setdefault(owner.id, wanted[stayed])
            carried = self._carry(owner, places)
            if carried is None:
                return None
            here, stayed = self.top.subprocesses[carried.id], stayed + 1
        for owner in owners[stayed:]:
            self._may_leave(owner, task, places)
        for body in wanted[stayed:]:
            here = self._open_body(here, body, task)
        return here

    def _may_leave(self, owner: Task, task: Task, places: Places) -> None:
        spec, inner = owner.task_spec.node, self.old.subprocesses[owner.id]
        if owner.internal_data.keys() & {"index", "round", "undo"} or spec.triggered_by_event or spec.kind == "transaction":
            raise Refuse(task.task_spec.node.id, f"「{task.task_spec.node.title}」在「{spec.title}」里面办理（重复办理、事件子流程或事务），新版不在里面，不能迁出去。")
        if inner.compensable:
            raise Refuse(spec.id, f"「{spec.title}」里已有可以补偿的步骤，不能把里面的办理迁出去。")
        for name, value in (inner.facts or {}).items():
            self.homes[id(places.old)].facts.setdefault(name, value)

    def _open_body(self, here: Any, body: str, task: Task) -> Any:
        """A body that the new version has put around the token; two tokens of one place share it."""
        key = (id(here), body)
        if key in self.fresh:
            return self.fresh[key]
        spec = here.spec.task_specs.get(body)
        node = spec.node
        if isinstance(spec, Repeated) or node.triggered_by_event or node.kind == "transaction" or node.compensates:
            raise Refuse(task.task_spec.node.id, f"「{task.task_spec.node.title}」在新版里移到了「{node.title}」里面，它是重复办理、事件子流程或事务，不能中途进入。")
        runs = {"runs": task.internal_data["runs"]} if task.internal_data.get("runs") else {}
        owner = new_task(here, body, data=task.data, **runs)
        owner._set_state(TaskState.STARTED)
        inner = self.top.create_subprocess(owner, spec.spec)
        inner.plant()
        if inner.spec.locals:
            given = {name: plain(value, name=name) for name, value in inputs_of(owner).items()} if node.inputs else {}
            inner.facts = {**dict.fromkeys(inner.spec.locals), **given}
        self.fresh[key] = inner
        return inner

    def _need(self, task: Task, places: Places) -> None:
        node = task.task_spec.node
        if any(need.key == key_of(node.process, node.id) for need in self.verdict.needs):
            return
        offered = choices_for(task, places.new.spec.model)
        if not offered:
            self.verdict.obstacles.append(Obstacle(element=node.id, message=f"「{node.title}」正在办理，新版里没有它，也没有同一种的步骤可以对应。"))
            return
        chosen = self.mapping.get(key_of(node.process, node.id))
        if chosen is not None:
            self.verdict.obstacles.append(Obstacle(element=node.id, message=f"「{node.title}」不能对应到“{chosen}”：新版里没有这一步，或者不是同一种步骤。请从列出的步骤里选。"))
            return
        self.verdict.needs.append(Need(
            process=node.process, node=node.id, title=node.title, kind=node.kind, form=node.attributes.get("form", ""),
            choices=tuple((one.id, one.title) for one in offered), suggested=suggestion(task, offered, task.workflow.spec.model),
        ))

    def _finish(self) -> None:
        """What waits beside, then whether the new diagram allows the state."""
        pairs = [(workflow, self.homes[id(workflow)]) for workflow in (self.old, *self.old.subprocesses.values()) if id(workflow) in self.homes]
        try:
            beside.rejoin(self.top, pairs, self.carried)
            beside.rearm(self.top, pairs, self.carried)
        except FlowError as error:
            self.verdict.obstacles.append(Obstacle(element=error.element, message=error.message))
        self.verdict.obstacles += [Obstacle(element=error.element, message=error.message) for error in self.top.errors]
        self.verdict.obstacles += soundness.find_obstacles(self.old, self.machine.process, self.top, self.process)
        if self.verdict.obstacles:
            return
        made = Machine(self.process, self.top)
        for notes in (self.top.flows_taken, self.top.nodes_entered, self.top.nodes_left, self.top.nodes_cancelled):
            notes.clear()
        try:
            made.check_invariants()
        except BrokenState as broken:
            self.verdict.obstacles.append(Obstacle(element="", message=f"按新版，这件事会处在流程图不允许的状态，不能迁移（{broken}）。"))
            return
        self.verdict.machine = Machine.load(self.process, made.dump(), now=self.top.now, decide=self.top.decide)


def _copied(internal: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dict(value) if isinstance(value, dict) else list(value) if isinstance(value, list) else value for name, value in internal.items()}
