"""Item definitions as FEEL types, with their allowed values."""
from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from engine.decisions.errors import DecisionError
from engine.decisions.xml import Element, kid, kids, text_of
from engine.expressions import FeelError, build_unary_tests
from engine.expressions.scanner import NameTable
from engine.expressions.types import ANY, SIMPLE, Allowed, ContextType, FunctionType, Late, ListType, Type

Report = Callable[[str, str, str], None]
_MAX_DEPTH = 40


class ItemTypes:
    """The named types of one model; ``imported`` finds those of other models by prefix."""

    def __init__(self, root: Element, imported: dict[str, ItemTypes], report: Report) -> None:
        self.imported = imported
        self.members: set[str] = set()
        self._report = report
        self._elements: dict[str, Element] = {element.get("name", ""): element for element in kids(root, "itemDefinition")}
        self._types: dict[str, Type] = {}
        self._building: list[str] = []
        for component in root.iter("{*}itemComponent"):
            if component.get("name"):
                self.members.add(component.get("name"))
        for other in imported.values():
            self.members |= other.members
        self.table = NameTable(self.members)
        self.named: dict[str, Type] = {name: Late(name, self._finder(name)) for name in self._elements}
        for prefix, other in imported.items():
            self.named.update({f"{prefix}.{name}": kind for name, kind in other.named.items()})

    def _finder(self, name: str) -> Callable[[], Type]:
        return lambda: self._build_named(name)

    def find(self, reference: str | None) -> Type:
        """The type that ``typeRef`` names; an unknown one is Any."""
        if not reference:
            return ANY
        name = reference.strip()
        found = self.named.get(name) or SIMPLE.get(name)
        if found is None and ":" in name:
            return self.find(name.split(":", 1)[1])
        if found is None and name == "function":
            return ANY
        if found is None:
            self._report(name, "dmn_type", f"没有名为“{name}”的类型")
        return found or ANY

    def _build_named(self, name: str) -> Type:
        if name not in self._types:
            if name in self._building or len(self._building) > _MAX_DEPTH:
                # a definition that contains itself directly says nothing about the value
                return ANY
            self._building.append(name)
            try:
                self._types[name] = self._build(self._elements[name], name)
            finally:
                self._building.pop()
        return self._types[name]

    def _build(self, element: Element, title: str, depth: int = 0) -> Type:
        if depth > _MAX_DEPTH:
            raise DecisionError(f"类型“{title}”嵌套太深")
        function = kid(element, "functionItem")
        components = list(kids(element, "itemComponent"))
        if function is not None:
            base: Type = self._function(function)
        elif components:
            base = ContextType(title, {part.get("name"): self._part(part, title, depth) for part in components})
        else:
            base = self.find(text_of(kid(element, "typeRef")) or None)
        base = self._allowed(base, kid(element, "allowedValues"), title)
        if element.get("isCollection") in ("true", "1"):
            base = ListType(f"{title}（列表）", base)
        return self._allowed(base, kid(element, "typeConstraint"), title)

    def _part(self, part: Element, title: str, depth: int) -> Type:
        return self._build(part, f"{title}.{part.get('name')}", depth + 1)

    def _function(self, element: Element) -> Type:
        parameters = [self.find(part.get("typeRef")) for part in kids(element, "parameters")]
        return FunctionType("function", parameters, self.find(element.get("outputTypeRef")))

    def _allowed(self, base: Type, constraint: Element | None, title: str) -> Type:
        text = text_of(constraint)
        if not text:
            return base
        try:
            tests = build_unary_tests(text, members=self.table)
        except FeelError as error:
            self._report(title, "dmn_allowed_values", f"类型“{title}”的允许值：{error.message}")
            return base
        return Allowed(f"{title}（{text[:60]}）", base, _check(tests))


def _check(tests: Any) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        return tests.matches(value, {}) is True
    return check


def declared_names(elements: Collection[Element]) -> list[str]:
    """The ``name`` attributes of elements that have one."""
    return [element.get("name") for element in elements if element.get("name")]
