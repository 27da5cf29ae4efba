"""A decision model: what a DMN file holds, and the two questions one may ask it."""
from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from engine.decisions.elements import Part, hrefs, read_parts
from engine.decisions.errors import DecisionError
from engine.decisions.item_types import ItemTypes
from engine.decisions.normal_values import normal
from engine.decisions.program import Program, Run, Scope
from engine.decisions.xml import NAMESPACES, Element, kids, read
from engine.expressions import FeelError, Function
from engine.expressions.builtin_temporal import AT
from engine.expressions.compile_calls import invoke
from engine.expressions.errors import Problem
from engine.expressions.expression import finished
from engine.expressions.limits import BUDGET, Budget
from engine.expressions.scanner import NameTable
from engine.expressions.types import coerce

Imports = Callable[[str], "bytes | None"]
_MAX_IMPORTS = 30


class DecisionModel:
    """A compiled DMN file.

    ``name``, ``namespace``; ``decisions``, ``invocables`` and ``inputs`` are names; ``findings`` are dicts ``{"element", "rule",
    "message"}`` for what is wrong in single cells (a file with findings must not be deployed).
    """

    def __init__(self, root: Element, imports: Imports | None = None, loaded: dict[str, DecisionModel] | None = None) -> None:
        self.name: str = root.get("name") or ""
        self.namespace: str = root.get("namespace") or ""
        self.findings: list[dict[str, str]] = []
        loaded = loaded if loaded is not None else {}
        loaded[self.namespace] = self
        self._imports = self._load(root, imports, loaded)
        self.types: ItemTypes = ItemTypes(root, {name: model.types for name, model in self._imports.items()}, self.report)
        self._parts = read_parts(root)
        self._by_id = {part.id: part for part in self._parts}
        self._by_name: dict[tuple[bool, str], Part] = {}
        for part in self._parts:
            self._by_name.setdefault((_is_function(part), part.name), part)
        self.members = frozenset(self._member_names(root))
        self.member_table = NameTable(self.members)
        self._programs: dict[bool, Program] = {}
        self._compile_all()

    def _load(self, root: Element, imports: Imports | None, loaded: dict[str, DecisionModel]) -> dict[str, DecisionModel]:
        models: dict[str, DecisionModel] = {}
        for element in kids(root, "import"):
            namespace, name = element.get("namespace") or "", element.get("name") or ""
            if element.get("importType") not in NAMESPACES:
                self.report(name, "dmn_import", f"不支持的导入类型：{element.get('importType')}")
                continue
            if namespace not in loaded:
                xml = imports(namespace) if imports is not None and len(loaded) < _MAX_IMPORTS else None
                if xml is None:
                    raise DecisionError(f"找不到要导入的决策文件“{name}”（{namespace}）")
                DecisionModel(read(xml), imports, loaded)
            models[name] = loaded[namespace]
        return models

    def _member_names(self, root: Element) -> set[str]:
        names = set(self.types.members)
        for kind in ("variable", "column", "output", "formalParameter"):
            names |= {element.get("name") for element in root.iter(f"{{*}}{kind}") if element.get("name")}
        for model in self._imports.values():
            names |= {part.name for part in model._parts}
            names |= model.members
        return names

    def _compile_all(self) -> None:
        """Compiles every decision and knowledge model now, so that findings are complete."""
        program = self.program(False)
        for part in self._parts:
            try:
                for href in (*part.needs.inputs, *part.needs.decisions, *part.needs.knowledge):
                    self.locate(href)
                if part.kind == "decision":
                    program.decision(part)
                elif part.kind == "businessKnowledgeModel":
                    program.knowledge(part)
                elif part.kind == "decisionService":
                    self.service_parameters(part)
            except DecisionError as error:
                self.report(part.id, "dmn_logic", error.message)

    def report(self, element: str, rule: str, message: str) -> None:
        """Keeps a finding, once."""
        finding = {"element": element, "rule": rule, "message": message}
        if finding not in self.findings:
            self.findings.append(finding)

    # what is there

    @property
    def decisions(self) -> list[str]:
        return [part.name for part in self._parts if part.kind == "decision"]

    @property
    def invocables(self) -> list[str]:
        """Names of the knowledge models and decision services."""
        return [part.name for part in self._parts if _is_function(part)]

    @property
    def inputs(self) -> list[str]:
        return [part.name for part in self._parts if part.kind == "inputData"]

    def required_inputs(self, name: str) -> list[str]:
        """The names of the inputs that a decision needs, itself or through others."""
        found: list[str] = []
        self._collect_inputs(self._decision(name), found, set())
        return found

    def _collect_inputs(self, part: Part, found: list[str], seen: set[str]) -> None:
        if part.id in seen:
            return
        seen.add(part.id)
        for href in part.needs.inputs:
            needed = self.locate(href)[2]
            if needed.name not in found:
                found.append(needed.name)
        for href in part.needs.decisions:
            _, model, needed = self.locate(href)
            model._collect_inputs(needed, found, seen)

    def locate(self, href: str) -> tuple[str, DecisionModel, Part]:
        """Import name ("" for this file), model and part of a ``#id`` or ``namespace#id``; raises DecisionError."""
        namespace, _, key = href.rpartition("#")
        if not namespace or namespace == self.namespace:
            part = self._by_id.get(key)
            if part is not None:
                return "", self, part
        for name, model in self._imports.items():
            if model.namespace == namespace and key in model._by_id:
                return name, model, model._by_id[key]
        raise DecisionError(f"决策文件里没有 {href} 所指的元素")

    def visible_names(self, part: Part) -> frozenset[str]:
        """The names that a part's expressions may use."""
        names = set()
        for href in (*part.needs.inputs, *part.needs.decisions, *part.needs.knowledge):
            prefix, _, needed = self.locate(href)
            names.add(prefix or needed.name)
        return frozenset(names)

    def service_parameters(self, part: Part) -> list[Part]:
        """The parameters of a decision service: its input data, then its input decisions."""
        found = [*hrefs(part.element, "inputData"), *hrefs(part.element, "inputDecision")]
        if not hrefs(part.element, "outputDecision"):
            self.report(part.id, "dmn_logic", f"{part.title}没有输出决策")
        return [self.locate(href)[2] for href in found]

    def program(self, strict: bool) -> Program:
        if strict not in self._programs:
            self._programs[strict] = Program(self, strict)
        return self._programs[strict]

    def _decision(self, name: str) -> Part:
        part = self._by_name.get((False, name)) or self._by_id.get(name)
        if part is None or part.kind != "decision":
            raise DecisionError(f"没有名为“{name}”的决策")
        return part

    # the two questions

    def evaluate(self, name: str, context: Mapping[str, Any], *, strict: bool = False, at: dt.datetime | None = None) -> Any:
        """The value of a decision (by name or id) for the inputs in ``context``.

        A semantic error inside an expression is null, as DMN says; with ``strict`` it is a DecisionError that names the cell, as a
        process wants it. Always DecisionError: an unknown decision, an input that is absent (null is not absent), rules that
        contradict the hit policy, a bound of time or size that is passed. ``at`` is the instant of ``now()`` (timezone-aware).
        """
        part = self._decision(name)
        return self._guarded(lambda: self._run(context, strict, at).value_of(part))

    def invoke(self, name: str, context: Mapping[str, Any], *, strict: bool = False, at: dt.datetime | None = None) -> Any:
        """The value of a knowledge model or decision service for the parameters in ``context``; an absent parameter is null."""
        part = self._by_name.get((True, name)) or self._by_id.get(name)
        if part is None or not _is_function(part):
            raise DecisionError(f"没有名为“{name}”的业务知识模型或决策服务")
        return self._guarded(lambda: self._invoked(part, context, strict, at))

    def _run(self, context: Mapping[str, Any], strict: bool, at: dt.datetime | None) -> Run:
        scope: Scope = {BUDGET: Budget()}
        if at is not None:
            scope[AT] = at
        return Run(self.program(strict), context, scope)

    def _invoked(self, part: Part, context: Mapping[str, Any], strict: bool, at: dt.datetime | None) -> Any:
        run = self._run(context, strict, at)
        function = run.function_of(part)
        try:
            return invoke(function, self._arguments(function, run.given, strict), list(function.parameters) or None)
        except Problem as problem:
            if strict:
                raise DecisionError(f"{part.title}：{problem.message}") from None
            return None

    def _arguments(self, function: Function, given: Mapping[str, Any], strict: bool) -> list[Any]:
        values = []
        for name, kind in zip(function.parameters, function.types or (), strict=True):
            try:
                values.append(coerce(normal(given.get(name)), kind))
            except Problem:
                if strict:
                    raise
                values.append(None)
        return values

    @staticmethod
    def _guarded(run: Callable[[], Any]) -> Any:
        try:
            return finished(run())
        except RecursionError:
            raise DecisionError("计算嵌套太深，已停止") from None
        except FeelError as error:
            raise DecisionError(error.message, code=error.code) from None


def _is_function(part: Part) -> bool:
    return part.kind in ("businessKnowledgeModel", "decisionService")


def compile_dmn(xml: bytes, *, imports: Imports | Mapping[str, bytes] | None = None) -> DecisionModel:
    """Compiles a DMN file; raises DecisionError when it can't be read.

    ``imports`` gives the file of a namespace (or None). What is wrong in single cells is in the model's ``findings`` and fails
    only when it is evaluated.
    """
    find = imports.get if isinstance(imports, Mapping) else imports
    try:
        with _collector_at_rest():
            return DecisionModel(read(xml), find)
    except RecursionError:
        raise DecisionError("决策文件嵌套太深") from None


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Everything that compiling makes stays; walking through it again and again while it grows took half the time of a large file."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
