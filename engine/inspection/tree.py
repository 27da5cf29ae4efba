"""The whole checkout as the rules see it: packs with their content, compiled processes, handlers, requirements, tests."""
from __future__ import annotations

import ast
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from engine.kernel.errors import GuichengError
from engine.kernel.names import pack_of
from engine.packs.folder import ContentFile, common_forms, content_files, pack_names
from engine.packs.manifest import Manifest, parse_manifest
from engine.packs.store import NewVersion
from engine.packs.yaml import read_yaml
from engine.runtime.check_content import check_content, finding_of
from engine.runtime.handlers import ServiceTask

ORDER = ("manifest", "dictionary", "parameters", "decision", "register", "statistic", "form", "piece", "document", "process", "assessment", "graph", "report", "page")
PLATFORM = "engine"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One fault: where (path or element), which rule, and what to do about it in Chinese."""

    place: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}  [{self.rule}] {self.message}"


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One row of requirements/rows.csv."""

    id: str
    system: str
    pack: str
    title: str


@dataclass(frozen=True, kw_only=True)
class TestMark:
    """A test function that says which rows it exercises."""

    id: str
    test: str


@dataclass
class Tree:
    """Lazy views of the checkout at ``root``; ``handlers`` are the registered service tasks by name."""

    root: Path
    handlers: Mapping[str, ServiceTask] = field(default_factory=dict)
    faults: list[Finding] = field(default_factory=list)

    @cached_property
    def files(self) -> dict[tuple[str, str], ContentFile]:
        """(kind, name) → content file, shared forms included."""
        found = [*common_forms(self.root), *(f for pack in pack_names(self.root) for f in content_files(self.root, pack))]
        return {(f.kind, f.name): f for f in found}

    @cached_property
    def packs(self) -> dict[str, Manifest]:
        """Manifests that can be read."""
        packs = {}
        for (kind, name), file in self.files.items():
            if kind == "manifest":
                try:
                    packs[pack_of(name)] = parse_manifest(file.content, pack=pack_of(name))
                except GuichengError:
                    continue
        return packs

    @cached_property
    def versions(self) -> dict[tuple[str, str], NewVersion]:
        """Every content file that passes its own check; the others leave findings in ``faults``."""
        compiled: dict[str, Any] = {}
        passed = {}
        for kind, name in sorted(self.files, key=lambda key: (ORDER.index(key[0]), key[1])):
            try:
                passed[kind, name] = check_content(kind, name, self.files[kind, name].content, lookup=self._content, compiled=compiled)
            except GuichengError as error:
                self.faults += [self._fault(kind, name, found) for found in finding_of(name, error) if found.get("level", "error") != "warning"]
        return passed

    def _content(self, kind: str, name: str) -> bytes | None:
        file = self.files.get((kind, name))
        return file.content if file else None

    def _fault(self, kind: str, name: str, found: Mapping[str, Any]) -> Finding:
        return Finding(place=f"{self.path(kind, name)} {found.get('element') or ''}".strip(), rule=str(found["rule"]), message=str(found["message"]))

    def path(self, kind: str, name: str) -> str:
        """The file's path below the root."""
        return str(self.files[kind, name].path.relative_to(self.root))

    def names(self, kind: str) -> list[str]:
        return sorted(name for known, name in self.files if known == kind)

    def processes(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """(name, description) of every process that compiles."""
        for (kind, name), version in self.versions.items():
            if kind == "process":
                yield name, version.meta or {}

    def forms(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """(name, parsed JSON) of every form of a pack."""
        for (kind, name), version in self.versions.items():
            if kind == "form":
                yield name, orjson.loads(version.content)

    def visible(self, pack: str, other: str) -> bool:
        """True when ``pack`` may name things of ``other``."""
        return other in (pack, "common", "gc") or (pack in self.packs and other in self.packs[pack].uses)

    @cached_property
    def requirements(self) -> dict[str, Requirement]:
        """Every known row by id."""
        with (self.root / "requirements" / "rows.csv").open(encoding="utf-8", newline="") as file:
            return {row["id"]: Requirement(**row) for row in csv.DictReader(file)}

    @cached_property
    def claims(self) -> dict[str, dict[str, str]]:
        """{pack: {row id: where it is met}}; the machinery's own under ``engine``."""
        own = self.root / "engine" / "requirements.yaml"
        claims = {PLATFORM: dict((read_yaml(own.read_bytes(), file=str(own)) or {}) if own.exists() else {})}
        return claims | {name: dict(manifest.requirements) for name, manifest in self.packs.items()}

    @cached_property
    def marks(self) -> list[TestMark]:
        """Every ``@pytest.mark.requirement("ID")`` below tests/."""
        return [mark for path in sorted((self.root / "tests").rglob("test_*.py")) for mark in _marks_in(path, self.root)]


def _marks_in(path: Path, root: Path) -> Iterator[TestMark]:
    module = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("mark.requirement"):
                    for argument in decorator.args:
                        if isinstance(argument, ast.Constant):
                            yield TestMark(id=str(argument.value), test=f"{path.relative_to(root)}::{node.name}")
