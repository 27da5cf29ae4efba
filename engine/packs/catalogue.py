"""All packs in force together: who may start what, which kind a case is of, what a role means."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from engine.kernel.errors import NotFound
from engine.packs.library import Library
from engine.packs.manifest import Begin, Kind, Manifest, Matter, NumberRule, Role, Start, parse_manifest

T = TypeVar("T")


@dataclass(frozen=True)
class Catalogue:
    """Manifests in force. Every lookup takes a qualified name and raises NotFound."""

    packs: Mapping[str, Manifest]

    def pack(self, name: str) -> Manifest:
        return _get(self.packs, name, "业务包")

    def kind(self, name: str) -> Kind:
        return _get(self._pack(name).kinds, name, "案件类别")

    def number(self, name: str) -> NumberRule:
        return _get(self._pack(name).numbers, name, "编号规则")

    def role(self, name: str) -> Role:
        return _get(self._pack(name).roles, name, "角色")

    def start(self, process: str) -> Start:
        return _get(self._pack(process).starts, process, "可发起的流程")

    def matter(self, process: str) -> Matter:
        return _get(self._pack(process).matters, process, "有关事项")

    def begin(self, process: str) -> Begin:
        return _get(self._pack(process).begins, process, "自行开始的流程")

    def starts(self) -> Iterator[Start]:
        for pack in self.packs.values():
            yield from pack.starts.values()

    def matters(self) -> Iterator[Matter]:
        for pack in self.packs.values():
            yield from pack.matters.values()

    def begins(self, kind: str) -> list[Begin]:
        """What begins by itself on a new case of ``kind``."""
        return [begin for pack in self.packs.values() for begin in pack.begins.values() if begin.kind == kind]

    def roles(self) -> Iterator[Role]:
        for pack in self.packs.values():
            yield from pack.roles.values()

    def closure(self, pack: str) -> list[str]:
        """``pack`` and everything it uses, directly or not, sorted."""
        seen: set[str] = set()
        waiting = [pack]
        while waiting:
            name = waiting.pop()
            if name not in seen and name in self.packs:
                seen.add(name)
                waiting += self.packs[name].uses
        return sorted(seen)

    def _pack(self, name: str) -> Manifest:
        return self.pack(name.split(".", 1)[0])


def _get(items: Mapping[str, T], name: str, what: str) -> T:
    if name not in items:
        raise NotFound(f"没有名为 {name} 的{what}。")
    return items[name]


def catalogue_of(library: Library) -> Catalogue:
    """The catalogue of what is in force; made again after each deploy."""

    def make() -> Catalogue:
        packs = {}
        for name in library.names("manifest"):
            pack = name.split(".", 1)[0]
            packs[pack] = parse_manifest(library.current("manifest", name).content, pack=pack)
        return Catalogue(packs)

    made: Catalogue = library.derived("catalogue", make)
    return made
