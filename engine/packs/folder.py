"""Which files a pack's folders hold. The folder is the key; being there registers."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.kernel.names import is_name


@dataclass(frozen=True, kw_only=True)
class ContentFile:
    """One file of content. ``kind`` is manifest, process, decision, register, dictionary, parameters, document, piece, form or layout."""

    kind: str
    name: str
    path: Path

    @property
    def content(self) -> bytes:
        return self.path.read_bytes()


# kind, room, sub-folder, ending
PLACES = (
    ("process", "processes", "", ".bpmn"),
    ("decision", "processes", "decisions", ".dmn"),
    ("register", "processes", "registers", ".yaml"),
    ("statistic", "processes", "statistics", ".yaml"),
    ("dictionary", "processes", "dictionaries", ".yaml"),
    ("assessment", "processes", "assessments", ".yaml"),
    ("graph", "processes", "graphs", ".yaml"),
    ("report", "processes", "reports", ".yaml"),
    ("page", "processes", "pages", ".yaml"),
    ("piece", "processes", "documents/pieces", ".html"),
    ("document", "processes", "documents", ".html"),
    ("form", "forms", "", ".json"),
)
SINGLE = (("manifest", "pack.yaml"), ("parameters", "parameters.yaml"))


def pack_names(root: Path) -> list[str]:
    """Names of all packs below ``root``: every folder of processes/ that holds a pack.yaml."""
    return sorted(p.parent.name for p in (root / "processes").glob("*/pack.yaml") if is_name(p.parent.name))


def content_files(root: Path, pack: str) -> Iterator[ContentFile]:
    """Every content file of ``pack``, in a fixed order."""
    for kind, file in SINGLE:
        path = root / "processes" / pack / file
        if path.exists():
            yield ContentFile(kind=kind, name=f"{pack}.{kind}", path=path)
    for kind, room, folder, ending in PLACES:
        for path in sorted((root / room / pack / folder).glob(f"*{ending}")):
            if not path.name.endswith(".ui.json"):
                yield ContentFile(kind=kind, name=f"{pack}.{path.name.removesuffix(ending)}", path=path)


def common_forms(root: Path) -> Iterator[ContentFile]:
    """The shared pieces in forms/common, which every pack may name."""
    for path in sorted((root / "forms" / "common").glob("*.json")):
        yield ContentFile(kind="form", name=f"common.{path.stem}", path=path)


def place_of(kind: str, name: str) -> str:
    """The path below the content root where a file of ``kind`` and ``name`` stands."""
    pack, bare = name.split(".", 1)
    for single, file in SINGLE:
        if kind == single:
            return f"processes/{pack}/{file}"
    for known, room, folder, ending in PLACES:
        if kind == known:
            return "/".join(part for part in (room, pack, folder, bare + ending) if part)
    raise ValueError(kind)
