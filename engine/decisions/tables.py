"""Decision tables: rules, hit policies, aggregation."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.decisions.boxed import Code, Place, feel, feel_tests
from engine.decisions.errors import DecisionError
from engine.decisions.hit_policies import POLICIES, Hit, aggregate
from engine.decisions.rule_index import First, RuleIndex
from engine.decisions.xml import Element, kid, kids, label_of, text_of
from engine.expressions import FeelError, LimitReached
from engine.expressions.errors import Problem
from engine.expressions.types import ANY, Type, coerce

_FULL = {"U": "UNIQUE", "A": "ANY", "P": "PRIORITY", "F": "FIRST", "R": "RULE ORDER", "O": "OUTPUT ORDER", "C": "COLLECT"}
Test = Callable[[Any, dict[Any, Any]], Any]


@dataclass
class Column:
    """An input or output: what it is called, its type, its list of values."""

    title: str
    name: str
    kind: Type
    code: Code
    tests: Any = None
    default: Code | None = None
    order: list[Any] | None = None


@dataclass
class Rule:
    """``first`` is what ``RuleIndex`` reads."""

    number: int
    first: First
    tests: list[tuple[int, Test]]
    outputs: list[Code]


@dataclass
class Table:
    """One compiled table. ``run`` is its closure."""

    place: Place
    policy: str
    aggregation: str
    inputs: list[Column]
    outputs: list[Column]
    rules: list[Rule]

    def __post_init__(self) -> None:
        index = RuleIndex([rule.first for rule in self.rules])
        self._index = index if index.worth else None

    def run(self, scope: dict[Any, Any]) -> Any:
        values = self._inputs(scope)
        hits = self._hits(values, scope)
        if not hits:
            return self._nothing(scope)
        found = [self._outcome(rule, scope) for rule in hits]
        if self.policy == "COLLECT" and self.aggregation:
            return self._aggregated([hit.value for hit in found])
        return POLICIES[self.policy](self.place.title, found, [column.order for column in self.outputs])

    def _inputs(self, scope: dict[Any, Any]) -> list[Any]:
        values = []
        for column in self.inputs:
            value = column.code(scope)
            if column.kind is not ANY or column.tests is not None:
                value = self._checked(column, value, scope)
            values.append(value)
        return values

    def _checked(self, column: Column, value: Any, scope: dict[Any, Any]) -> Any:
        try:
            value = coerce(value, column.kind)
        except Problem as problem:
            self.place.failed(f"输入“{column.title}”：{problem.message}")
            return None
        if column.tests is not None and value is not None and column.tests.code(value, scope) is False:
            self.place.failed(f"输入“{column.title}”的值不在允许的范围内")
        return value

    def _hits(self, values: list[Any], scope: dict[Any, Any]) -> list[Rule]:
        hits: list[Rule] = []
        single = self.policy == "FIRST"
        rule, index = None, 0
        rules = self.rules if self._index is None else [self.rules[number] for number in self._index.candidates(values)]
        try:
            for rule in rules:
                for index, test in rule.tests:
                    if test(values[index], scope) is not True:
                        break
                else:
                    hits.append(rule)
                    if single:
                        break
        except LimitReached as error:
            raise DecisionError(f"{self._cell(rule, index)}：{error.message}", code=error.code) from None
        except FeelError as error:
            raise DecisionError(f"{self._cell(rule, index)}：{error.message}") from None
        return hits

    def _cell(self, rule: Rule | None, index: int) -> str:
        number = rule.number if rule is not None else 0
        return f"{self.place.title}，第 {number} 条规则，输入“{self.inputs[index].title}”"

    def _outcome(self, rule: Rule, scope: dict[Any, Any]) -> Hit:
        parts = [code(scope) for code in rule.outputs]
        return Hit(rule.number, parts, self._value(parts))

    def _value(self, parts: list[Any]) -> Any:
        if len(self.outputs) == 1:
            return parts[0]
        return {column.name: part for column, part in zip(self.outputs, parts, strict=True)}

    def _aggregated(self, values: list[Any]) -> Any:
        try:
            return aggregate(self.aggregation, values)
        except Problem as problem:
            self.place.failed(f"汇总：{problem.message}")
            return None

    def _nothing(self, scope: dict[Any, Any]) -> Any:
        """No rule matched: the default outputs; else null, or no items where the policy gives a list."""
        many = self.policy in ("RULE ORDER", "OUTPUT ORDER") or self.policy == "COLLECT" and not self.aggregation
        if any(column.default is not None for column in self.outputs):
            default = self._value([column.default(scope) if column.default is not None else None for column in self.outputs])
            return [default] if many and not isinstance(default, list) else default
        if self.policy == "COLLECT" and self.aggregation == "COUNT":
            return aggregate("COUNT", [])
        return [] if many else None


def compile_table(element: Element, place: Place) -> Code:
    """The closure of a ``decisionTable``; raises DecisionError for a table that makes no sense."""
    policy = element.get("hitPolicy") or "UNIQUE"
    policy = _FULL.get(policy, policy)
    aggregation = element.get("aggregation") or ""
    place = place.inside("")
    if policy not in POLICIES:
        raise DecisionError(f"{place.title}：不认识的命中策略 {policy}")
    inputs = [_input(column, number, place) for number, column in enumerate(kids(element, "input"), 1)]
    outputs = [_output(column, number, place) for number, column in enumerate(kids(element, "output"), 1)]
    if not outputs:
        raise DecisionError(f"{place.title}：决策表没有输出列")
    if aggregation and len(outputs) > 1:
        raise DecisionError(f"{place.title}：有多个输出列的决策表不能汇总")
    _check_order(policy, outputs, place)
    rules = [_rule(rule, number, inputs, outputs, place) for number, rule in enumerate(kids(element, "rule"), 1)]
    return Table(place, policy, aggregation, inputs, outputs, rules).run


def _check_order(policy: str, outputs: list[Column], place: Place) -> None:
    if policy in ("PRIORITY", "OUTPUT ORDER") and not any(column.order for column in outputs):
        place.report(place.element, "dmn_priorities", f"{place.title}：命中策略 {policy} 需要输出列给出值的列表（按优先顺序）")


def _input(element: Element, number: int, place: Place) -> Column:
    expression = kid(element, "inputExpression")
    text = text_of(expression)
    title = element.get("label") or text or f"第 {number} 列"
    here = place.inside(f"，输入“{title}”")
    kind = place.types.find(expression.get("typeRef") if expression is not None else None)
    values = text_of(kid(element, "inputValues"))
    return Column(title, "", kind, feel(text, here), feel_tests(values, here) if values not in ("", "-") else None)


def _output(element: Element, number: int, place: Place) -> Column:
    name = element.get("name") or ""
    title = element.get("label") or name or f"第 {number} 列"
    here = place.inside(f"，输出“{title}”")
    values = text_of(kid(element, "outputValues"))
    tests = feel_tests(values, here) if values else None
    default = kid(element, "defaultOutputEntry")
    return Column(
        title, name or label_of(element), place.types.find(element.get("typeRef")), lambda scope: None, tests,
        feel(text_of(default), place.inside(f"，输出“{title}”的默认值")) if default is not None else None, _order(tests),
    )


def _order(tests: Any) -> list[Any] | None:
    """The constants of a list of output values, best first."""
    from engine.expressions.nodes import Literal
    if tests is None:
        return None
    return [node.value for node in tests.tree.tests if isinstance(node, Literal)]


def _rule(element: Element, number: int, inputs: list[Column], outputs: list[Column], place: Place) -> Rule:
    cells = list(kids(element, "inputEntry"))
    results = list(kids(element, "outputEntry"))
    if len(cells) != len(inputs) or len(results) != len(outputs):
        raise DecisionError(f"{place.title}，第 {number} 条规则：列数与表头不一致")
    tests: list[tuple[int, Test]] = []
    first: First = None
    for index, (cell, column) in enumerate(zip(cells, inputs, strict=True)):
        text = text_of(cell)
        if text not in ("", "-"):
            compiled, test = _cell_test(text, place.inside(f"，第 {number} 条规则，输入“{column.title}”"))
            constants = compiled.constants() if compiled is not None and not tests else None
            first = (index, constants) if constants else first
            tests.append((index, test))
    codes = [_cell_output(cell, column, number, place) for cell, column in zip(results, outputs, strict=True)]
    return Rule(number, first, tests, codes)


def _cell_test(text: str, place: Place) -> tuple[Any, Test]:
    compiled = feel_tests(text, place)
    if compiled is not None:
        return compiled, compiled.strict_code if place.strict else compiled.code

    def broken(value: Any, scope: dict[Any, Any]) -> Any:
        raise DecisionError(f"{place.title}：不是合法的 FEEL")
    return None, broken


def _cell_output(cell: Element, column: Column, number: int, place: Place) -> Code:
    here = place.inside(f"，第 {number} 条规则，输出“{column.title}”")
    code = feel(text_of(cell), here)
    kind = column.kind
    if kind is ANY and column.tests is None:
        return code

    def run(scope: dict[Any, Any]) -> Any:
        try:
            value = coerce(code(scope), kind)
        except Problem as problem:
            here.failed(problem.message)
            return None
        if column.tests is not None and value is not None and column.tests.code(value, scope) is False:
            here.failed("值不在输出列允许的范围内")
        return value
    return run
