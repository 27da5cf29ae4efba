"""Boxed expressions, from DMN's XML into closures over a scope (a dict of names)."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from engine.decisions.errors import DecisionError
from engine.decisions.item_types import ItemTypes
from engine.decisions.xml import Element, kid, kids, tag, text_of
from engine.expressions import FeelError, Function, LimitReached, build_expression, build_unary_tests
from engine.expressions.compile_calls import invoke
from engine.expressions.compile_collections import domain_of
from engine.expressions.errors import Problem
from engine.expressions.limits import BUDGET, MAX_LIST
from engine.expressions.scanner import NameTable
from engine.expressions.types import ANY, Type, coerce
from engine.expressions.values import kind_of, title_of

Code = Callable[[dict[Any, Any]], Any]
EXPRESSIONS = (
    "literalExpression", "context", "decisionTable", "invocation", "functionDefinition", "relation", "list", "conditional", "filter",
    "for", "some", "every",
)
_FEEL = ("", "feel", "http://www.omg.org/spec/FEEL/20140401", "http://www.omg.org/spec/DMN/20180521/FEEL/",
         "https://www.omg.org/spec/DMN/20191111/FEEL/", "https://www.omg.org/spec/DMN/20211108/FEEL/",
         "https://www.omg.org/spec/DMN/20230324/FEEL/")
_MAX_DEPTH = 40


@dataclass(frozen=True)
class Place:
    """Where in the model something stands: what may be named there, and how a message calls it."""

    title: str
    types: ItemTypes
    names: frozenset[str]
    members: frozenset[str]
    member_table: NameTable
    strict: bool
    report: Callable[[str, str, str], None]
    element: str = ""
    depth: int = 0
    cache: dict[Any, Any] = field(default_factory=dict)

    def inside(self, title: str = "", names: Iterable[str] = ()) -> Place:
        """A place within this one, with further names."""
        if self.depth > _MAX_DEPTH:
            raise DecisionError(f"{self.title}：嵌套太深")
        more = frozenset(names)
        return replace(self, title=f"{self.title}{title}", names=self.names | more, depth=self.depth + 1)

    def failed(self, message: str) -> None:
        """A semantic error: null for DMN, DecisionError when strict."""
        if self.strict:
            raise DecisionError(f"{self.title}：{message}")


def compile_boxed(element: Element, place: Place) -> Code:
    """The closure of one boxed expression, with its declared type enforced."""
    from engine.decisions import tables
    makers: dict[str, Callable[[Element, Place], Code]] = {**_MAKERS, "decisionTable": tables.compile_table}
    maker = makers.get(tag(element))
    if maker is None:
        raise DecisionError(f"{place.title}：不支持的表达式 {tag(element)}")
    return typed(maker(element, place), place.types.find(element.get("typeRef")), place)


def compile_inner(element: Element | None, place: Place) -> Code:
    """The closure of the boxed expression inside an element; null when there is none."""
    inner = None if element is None else kid(element, *EXPRESSIONS)
    return (lambda scope: None) if inner is None else compile_boxed(inner, place)


def typed(code: Code, kind: Type, place: Place) -> Code:
    """``code`` whose value is made to fit the type, or null."""
    if kind is ANY:
        return code

    def run(scope: dict[Any, Any]) -> Any:
        value = code(scope)
        try:
            return coerce(value, kind)
        except Problem as problem:
            place.failed(problem.message)
            return None
    return run


def feel(text: str, place: Place) -> Code:
    """The closure of a FEEL text; "" is null. A text that is not FEEL is reported, and fails when it is evaluated."""
    if not text:
        return lambda scope: None
    key = (text, place.names)
    expression = place.cache.get(key)
    if expression is None:
        try:
            expression = build_expression(text, names=place.names, members=place.member_table, types=place.types.named)
        except FeelError as error:
            return _broken(place, error)
        place.cache[key] = expression
    code = expression.strict_code if place.strict else expression.code
    return located(code, place)


def _broken(place: Place, error: FeelError) -> Code:
    message = f"{place.title}：{error.message}"
    place.report(place.element, "dmn_expression", message)

    def fail(scope: dict[Any, Any]) -> Any:
        raise DecisionError(message)
    return fail


def located(code: Code, place: Place) -> Code:
    """``code`` whose FeelErrors name the place in the model."""
    def run(scope: dict[Any, Any]) -> Any:
        try:
            return code(scope)
        except LimitReached as error:
            raise DecisionError(f"{place.title}：{error.message}", code=error.code) from None
        except FeelError as error:
            raise DecisionError(f"{place.title}：{error.message}") from None
    return run


def feel_tests(text: str, place: Place) -> Any:
    """Compiled unary tests, or None when the text is not FEEL (reported)."""
    key = ("tests", text, place.names)
    tests = place.cache.get(key)
    if tests is None:
        try:
            tests = build_unary_tests(text, names=place.names, members=place.member_table, types=place.types.named)
        except FeelError as error:
            place.report(place.element, "dmn_expression", f"{place.title}：{error.message}")
            return None
        place.cache[key] = tests
    return tests


def _literal(element: Element, place: Place) -> Code:
    language = (element.get("expressionLanguage") or "").strip()
    if language.lower() not in _FEEL and language not in _FEEL:
        message = f"{place.title}：表达式语言 {language[:60]} 不受支持，只支持 FEEL"
        place.report(place.element, "dmn_language", message)
        return _broken(place, FeelError(f"表达式语言 {language[:60]} 不受支持"))
    return feel(text_of(element), place)


def _context(element: Element, place: Place) -> Code:
    entries: list[tuple[str | None, Code]] = []
    names: list[str] = []
    for entry in kids(element, "contextEntry"):
        variable = kid(entry, "variable")
        name = variable.get("name") if variable is not None else None
        here = place.inside(f"，条目“{name}”" if name else "，结果", names)
        code = compile_inner(entry, here)
        if variable is not None:
            code = typed(code, place.types.find(variable.get("typeRef")), here)
            names.append(name or "")
        entries.append((name, code))

    def run(scope: dict[Any, Any]) -> Any:
        local = dict(scope)
        result: dict[str, Any] = {}
        for name, code in entries:
            value = code(local)
            if name is None:
                return value
            local[name] = result[name] = value
        return result
    return run


def _list(element: Element, place: Place) -> Code:
    items = [compile_boxed(item, place.inside(f"，第 {number} 项")) for number, item in enumerate(kids(element, *EXPRESSIONS), 1)]
    return lambda scope: [item(scope) for item in items]


def _relation(element: Element, place: Place) -> Code:
    columns = [column.get("name", "") for column in kids(element, "column")]
    kinds = [place.types.find(column.get("typeRef")) for column in kids(element, "column")]
    rows: list[list[Code]] = []
    for number, row in enumerate(kids(element, "row"), 1):
        cells = [
            typed(compile_boxed(cell, here), kind, here)
            for cell, column, kind in zip(kids(row, *EXPRESSIONS), columns, kinds, strict=False)
            for here in [place.inside(f"，第 {number} 行“{column}”")]
        ]
        rows.append(cells)
    return lambda scope: [{column: cell(scope) for column, cell in zip(columns, cells, strict=False)} for cells in rows]


def _invocation(element: Element, place: Place) -> Code:
    called = kid(element, *EXPRESSIONS)
    label = text_of(called)
    callee = compile_boxed(called, place.inside()) if called is not None else (lambda scope: None)
    bindings: list[tuple[str, Code]] = []
    for binding in kids(element, "binding"):
        parameter = kid(binding, "parameter")
        name = parameter.get("name", "") if parameter is not None else ""
        here = place.inside(f"，参数“{name}”")
        kind = place.types.find(parameter.get("typeRef") if parameter is not None else None)
        bindings.append((name, typed(compile_inner(binding, here), kind, here)))
    names = [name for name, _ in bindings]

    def run(scope: dict[Any, Any]) -> Any:
        function = callee(scope)
        values = [code(scope) for _, code in bindings]
        try:
            return invoke(function, values, names or None, label)
        except Problem as problem:
            place.failed(problem.message)
            return None
    return run


def _function(element: Element, place: Place) -> Code:
    return function_maker(element, place)


def function_maker(element: Element, place: Place, name: str = "") -> Callable[[dict[Any, Any]], Function]:
    """From a scope to the function that a ``functionDefinition`` describes."""
    parameters = list(kids(element, "formalParameter"))
    names = tuple(parameter.get("name", "") for parameter in parameters)
    kinds = tuple(place.types.find(parameter.get("typeRef")) for parameter in parameters)
    result = place.types.find(element.get("typeRef"))
    if element.get("kind", "FEEL") not in ("FEEL", ""):
        message = f"{place.title}：不支持 {element.get('kind')} 函数，只支持 FEEL"
        place.report(place.element, "dmn_function_kind", message)

        def external(*_values: Any) -> Any:
            raise Problem(f"不支持 {element.get('kind')} 函数")
        return lambda scope: Function(names, external, name, kinds, result)
    body = compile_inner(element, place.inside("", names))
    return lambda scope: Function(names, _caller(scope, names, kinds, body), name, kinds, result)


def _caller(scope: dict[Any, Any], names: tuple[str, ...], kinds: tuple[Type, ...], body: Code) -> Callable[..., Any]:
    def call(*values: Any) -> Any:
        if len(values) != len(names):
            raise Problem(f"函数需要 {len(names)} 个参数，得到 {len(values)} 个")
        local = dict(scope)
        for name, value, kind in zip(names, values, kinds, strict=True):
            local[name] = coerce(value, kind)
        budget = local[BUDGET]
        budget.enter()
        try:
            return body(local)
        finally:
            budget.leave()
    return call


def _conditional(element: Element, place: Place) -> Code:
    condition = compile_inner(kid(element, "if"), place.inside("，如果"))
    then = compile_inner(kid(element, "then"), place.inside("，那么"))
    otherwise = compile_inner(kid(element, "else"), place.inside("，否则"))

    def run(scope: dict[Any, Any]) -> Any:
        value = condition(scope)
        if value is not None and type(value) is not bool:
            place.failed(f"条件应是“是/否”，得到{title_of(value)}")
            return None
        return then(scope) if value is True else otherwise(scope)
    return run


def _filter(element: Element, place: Place) -> Code:
    source = compile_inner(kid(element, "in"), place.inside("，列表"))
    condition = compile_inner(kid(element, "match"), place.inside("，筛选条件", ("item", *place.members)))

    def run(scope: dict[Any, Any]) -> Any:
        items = source(scope)
        if items is None:
            return None
        kept = []
        for item in items if kind_of(items) == "list" else [items]:
            scope[BUDGET].tick()
            entries = item if kind_of(item) == "context" else {}
            answer = condition({**scope, "item": item, **entries})
            if answer is True:
                kept.append(item)
            elif answer is not None and answer is not False:
                place.failed(f"筛选条件应是“是/否”，得到{title_of(answer)}")
                return None
        return kept
    return run


def _iterations(element: Element, place: Place) -> tuple[str, Callable[[dict[Any, Any]], Any]]:
    name = element.get("iteratorVariable") or ""
    source = compile_inner(kid(element, "in"), place.inside("，列表"))
    return name, lambda scope: domain_of(source(scope))


def _for(element: Element, place: Place) -> Code:
    name, domain = _iterations(element, place)
    result = compile_inner(kid(element, "return"), place.inside("，返回", (name, "partial")))

    def run(scope: dict[Any, Any]) -> Any:
        results: list[Any] = []
        try:
            for item in domain(scope):
                scope[BUDGET].spend(1 + (len(results) >> 6))
                results.append(result({**scope, name: item, "partial": list(results)}))
                if len(results) > MAX_LIST:
                    raise DecisionError(f"{place.title}：循环的结果超过 {MAX_LIST} 项")
        except Problem as problem:
            place.failed(problem.message)
            return None
        return results
    return run


def _quantified(element: Element, place: Place) -> Code:
    name, domain = _iterations(element, place)
    condition = compile_inner(kid(element, "satisfies"), place.inside("，满足", (name,)))
    decisive = tag(element) == "some"

    def run(scope: dict[Any, Any]) -> Any:
        result: Any = not decisive
        try:
            for item in domain(scope):
                scope[BUDGET].tick()
                answer = condition({**scope, name: item})
                if answer is decisive:
                    return decisive
                if answer is None:
                    result = None
                elif answer is not (not decisive):
                    raise Problem(f"条件应是“是/否”，得到{title_of(answer)}")
        except Problem as problem:
            place.failed(problem.message)
            return None
        return result
    return run


_MAKERS: dict[str, Callable[[Element, Place], Code]] = {
    "literalExpression": _literal, "context": _context, "list": _list, "relation": _relation, "invocation": _invocation,
    "functionDefinition": _function, "conditional": _conditional, "filter": _filter, "for": _for, "some": _quantified, "every": _quantified,
}
