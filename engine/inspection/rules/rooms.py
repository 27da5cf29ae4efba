"""Each room holds what may live there: no Python among content, names in snake_case, a README per pack."""
from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.inspection.tree import Finding, Tree
from engine.kernel.names import is_name

TITLE = "各房间只放该放的东西"
INTEGRATION = ("manifest.yaml", "client.py", "simulator.py", "messages.py")
DEVICE = ("manifest.yaml", "driver.py", "simulator.py")


def check(tree: Tree) -> Iterable[Finding]:
    yield from _content_rooms(tree)
    yield from _pack_pages(tree)
    yield from _outside(tree, "integrations", INTEGRATION)
    yield from _outside(tree, "devices", DEVICE)


def _content_rooms(tree: Tree) -> Iterator[Finding]:
    for room in ("processes", "forms"):
        for path in sorted((tree.root / room).rglob("*")):
            place = str(path.relative_to(tree.root))
            if path.suffix == ".py":
                yield Finding(place=place, rule="rooms", message=f"{room}/ 里不放 Python，请移到 handlers/。")
            if path.is_file() and path.name != "README.md" and not is_name(path.name.split(".", 1)[0]):
                yield Finding(place=place, rule="rooms", message="文件名要用小写英文、数字和下划线。")


def _pack_pages(tree: Tree) -> Iterator[Finding]:
    for pack in tree.packs:
        if not (tree.root / "processes" / pack / "README.md").exists():
            yield Finding(place=f"processes/{pack}", rule="rooms", message="缺 README.md：一页写清这个包办什么事、还差什么。")


def _outside(tree: Tree, room: str, wanted: tuple[str, ...]) -> Iterator[Finding]:
    for folder in sorted((tree.root / room).glob("*/")):
        if is_name(folder.name):
            for name in wanted:
                if not (folder / name).exists():
                    yield Finding(place=f"{room}/{folder.name}", rule="rooms", message=f"缺 {name}。")
