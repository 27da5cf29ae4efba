"""One model compiled for one mode (lenient as DMN says, or strict), part by part when first needed."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from engine.decisions.boxed import Code, Place, compile_inner, function_maker, typed
from engine.decisions.elements import Part, hrefs
from engine.decisions.errors import DecisionError
from engine.decisions.normal_values import normal
from engine.decisions.xml import kid
from engine.expressions import Function
from engine.expressions.errors import Problem
from engine.expressions.limits import BUDGET, Budget
from engine.expressions.types import FunctionType, base_of, coerce

if TYPE_CHECKING:
    from engine.decisions.model import DecisionModel

_MAX_CHAIN = 60
MISSING = object()
Scope = dict[Any, Any]


class Program:
    """The closures of a model's decisions and functions."""

    def __init__(self, model: DecisionModel, strict: bool) -> None:
        self.model = model
        self.strict = strict
        self._decisions: dict[str, Code] = {}
        self._functions: dict[str, Callable[[Scope], Function]] = {}
        self._cache: dict[Any, Any] = {}

    def place(self, part: Part, names: frozenset[str]) -> Place:
        model = self.model
        return Place(part.title, model.types, names, model.members, model.member_table, self.strict, model.report, part.id, 0, self._cache)

    def decision(self, part: Part) -> Code:
        """The closure of a decision's logic over the scope of what it requires."""
        code = self._decisions.get(part.id)
        if code is None:
            place = self.place(part, self.model.visible_names(part))
            code = typed(compile_inner(part.element, place), self.model.types.find(part.type_reference), place)
            self._decisions[part.id] = code
        return code

    def knowledge(self, part: Part) -> Callable[[Scope], Function]:
        """From a scope (of what the knowledge model requires) to its function."""
        maker = self._functions.get(part.id)
        if maker is None:
            maker = self._functions[part.id] = self._knowledge(part)
        return maker

    def _knowledge(self, part: Part) -> Callable[[Scope], Function]:
        place = self.place(part, self.model.visible_names(part))
        logic = kid(part.element, "encapsulatedLogic")
        if logic is None:
            return lambda scope: Function((), lambda: None, part.name, ())
        make = function_maker(logic, place, part.name)
        kind = base_of(self.model.types.find(part.type_reference))
        result = kind.result if isinstance(kind, FunctionType) else self.model.types.find(part.type_reference)

        def made(scope: Scope) -> Function:
            function = make(scope)

            def call(*values: Any) -> Any:
                return coerce(function.call(*values), result)
            return Function(function.parameters, call, part.name, function.types, result)
        return made


class Run:
    """One evaluation: given values, and what was worked out from them so far."""

    def __init__(self, program: Program, given: Mapping[str, Any], scope: Scope, fixed: dict[str, Any] | None = None, depth: int = 0) -> None:
        self.program = program
        self.model = program.model
        self.given = given
        self.base = scope
        self.values: dict[str, Any] = dict(fixed or {})
        self.depth = depth
        self._active: list[str] = []

    def value_of(self, part: Part) -> Any:
        """The value of an input or a decision; raises DecisionError for a missing input or a circle."""
        if part.id in self.values:
            return self.values[part.id]
        if part.kind == "inputData":
            value = self._input(part)
        else:
            value = self._decision(part)
        self.values[part.id] = value
        return value

    def _input(self, part: Part) -> Any:
        value = self.given.get(part.name, MISSING)
        if value is MISSING:
            raise DecisionError(f"缺少输入“{part.name}”")
        try:
            return coerce(normal(value), self.model.types.find(part.type_reference))
        except Problem as problem:
            if self.program.strict:
                raise DecisionError(f"{part.title}：{problem.message}") from None
            return None

    def _decision(self, part: Part) -> Any:
        if part.id in self._active or len(self._active) > _MAX_CHAIN:
            raise DecisionError(f"{part.title}：决策之间循环依赖")
        self._active.append(part.id)
        try:
            return self.program.decision(part)(self.scope_of(part))
        finally:
            self._active.pop()

    def scope_of(self, part: Part) -> Scope:
        """The names that a decision or knowledge model sees, with their values."""
        scope = dict(self.base)
        for href in (*part.needs.inputs, *part.needs.decisions):
            self._bind(scope, href)
        for href in part.needs.knowledge:
            self._bind(scope, href)
        return scope

    def _bind(self, scope: Scope, href: str) -> None:
        prefix, model, needed = self.model.locate(href)
        if model is self.model:
            scope[needed.name] = self._bound(needed)
            return
        other = self.nested(model)
        holder = scope.get(prefix)
        holder = scope[prefix] = dict(holder) if isinstance(holder, dict) else {}
        holder[needed.name] = other._bound(needed)

    def _bound(self, part: Part) -> Any:
        return self.value_of(part) if part.kind in ("inputData", "decision") else self.function_of(part)

    def nested(self, model: DecisionModel) -> Run:
        """A run of an imported model over the same inputs."""
        key = f"\0{model.namespace}"
        if key not in self.values:
            if self.depth > 20:
                raise DecisionError("导入嵌套太深")
            self.values[key] = Run(model.program(self.program.strict), self.given, self.base, None, self.depth + 1)
        return self.values[key]

    def function_of(self, part: Part) -> Function:
        """A knowledge model or decision service as a function."""
        if part.kind == "decisionService":
            return self._service(part)
        if part.id in self._active or len(self._active) > _MAX_CHAIN:
            # a knowledge model that requires itself gets its function when it is called
            return Function((), _endless, part.name)
        self._active.append(part.id)
        try:
            scope = self.scope_of(part)
        finally:
            self._active.pop()
        function = self.program.knowledge(part)(scope)
        if any(self.model.locate(href)[2] is part for href in part.needs.knowledge):
            scope[part.name] = function
        return function

    def _service(self, part: Part) -> Function:
        parameters = self.model.service_parameters(part)
        names = tuple(parameter.name for parameter in parameters)
        kinds = tuple(self.model.types.find(parameter.type_reference) for parameter in parameters)
        outputs = [self.model.locate(href)[2] for href in hrefs(part.element, "outputDecision")]
        result = self.model.types.find(part.type_reference)
        result = result.result if isinstance(result, FunctionType) else result

        def call(*values: Any) -> Any:
            if len(values) != len(names):
                raise Problem(f"决策服务 {part.name} 需要 {len(names)} 个参数，得到 {len(values)} 个")
            fixed = {p.id: coerce(value, kind) for p, value, kind in zip(parameters, values, kinds, strict=True)}
            budget: Budget = self.base[BUDGET]
            budget.enter()
            try:
                run = Run(self.program, self.given, self.base, fixed, self.depth + 1)
                answers = {output.name: run.value_of(output) for output in outputs}
            finally:
                budget.leave()
            return coerce(next(iter(answers.values())) if len(outputs) == 1 else answers, result)
        return Function(names, call, part.name, kinds, result)


def _endless(*_values: Any) -> Any:
    raise Problem("业务知识模型之间循环依赖")
