"""What an actor may start: processes of 发起, and further matters on a case, by the roles their posts hold."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from engine.access.actors import Actor
from engine.access.assignment import roles_held
from engine.kernel.names import name_of, pack_of
from engine.packs.catalogue import Catalogue


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One process that may be started. ``system`` and ``pack_title`` group the list."""

    process: str
    pack: str
    name: str
    title: str
    help: str
    pack_title: str
    system: str


def offered(connection: Connection, *, catalogue: Catalogue, actor: Actor, on: date) -> list[Offer]:
    """Processes that open a case and that ``actor`` may start. One statement."""
    roles = roles_held(connection, posts=actor.posts, on=on)
    return [_offer(catalogue, start.process, start.title, start.help) for start in catalogue.starts() if start.role in roles]


def matters_offered(
    connection: Connection, *, catalogue: Catalogue, actor: Actor, on: date, kind: str, state: str, running: Sequence[str],
) -> list[Offer]:
    """Matters that ``actor`` may start on a case of ``kind`` in ``state``; ``running`` are the processes that run on it now."""
    fitting = [
        matter for matter in catalogue.matters()
        if kind in matter.kinds and (not matter.states or state in matter.states) and not (matter.once and matter.process in running)
    ]
    roles = roles_held(connection, posts=actor.posts, on=on) if fitting else frozenset()
    return [_offer(catalogue, matter.process, matter.title, matter.help) for matter in fitting if matter.role in roles]


def _offer(catalogue: Catalogue, process: str, title: str, help_text: str) -> Offer:
    pack = catalogue.pack(pack_of(process))
    return Offer(process=process, pack=pack.name, name=name_of(process), title=title, help=help_text, pack_title=pack.title, system=pack.system)
