"""Diagrams of a case with the path taken, the place now and who was where."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import url_for

from engine.kernel.names import name_of, pack_of, qualify
from engine.packs.library import Definition
from engine.runtime.queries import case_page as query
from engine.web import words
from engine.web.context import application, today


def diagrams(page: query.CasePage, *, first: UUID | None = None) -> list[dict[str, Any]]:
    """The diagrams of every process that runs (or of the last one that ran), that of the instance ``first`` before others: where an open step stands first, then outwards."""
    running = sorted((row for row in page.instances if row["ended_at"] is None), key=lambda row: row["id"] != first) or list(page.instances[-1:])
    found = []
    for instance in running:
        for scope in query.levels(page, instance["id"]):
            definition = _definition(instance, scope)
            if definition is not None:
                found.append(_diagram(page, instance, scope, definition) | {"beside": instance["id"] != running[0]["id"]})
    return found


def _definition(instance: Mapping[str, Any], scope: str) -> Definition | None:
    """The process that stands in ``scope``: from the outer one down through its call activities, as pinned."""
    library = application().library
    definition = library.definition(instance["definition_id"])
    members = library.bundle(instance["bundle_id"]).members
    for element in filter(None, scope.split("/")):
        called = definition.meta.get("nodes", {}).get(element, {}).get("called")
        id = members.get(f"process:{qualify(called, pack_of(definition.name))}") if called else None
        if id is None:
            return None
        definition = library.definition(id)
    return definition


def _diagram(page: query.CasePage, instance: Mapping[str, Any], scope: str, definition: Definition) -> dict[str, Any]:
    done, here = query.path_taken(page, instance["id"], scope)
    return {
        "title": definition.title,
        "version": definition.version,
        "url": url_for("processes.diagram", pack=pack_of(definition.name), name=name_of(definition.name), version=definition.version),
        "path": {"done": sorted(done), "here": sorted(here), "by": _who(page, instance, scope)},
        "spoken": "，".join(f"{row['title']}在办" for row in page.tasks if row["instance_id"] == instance["id"]) or "没有在办的步骤",
    }


def _who(page: query.CasePage, instance: Mapping[str, Any], scope: str) -> dict[str, str]:
    found = {node: f"{act['actor_name']} {words.on(act['at'], today=today())}" for node, act in query.who_passed(page, instance["id"], scope).items()}
    for task in page.tasks:
        if task["instance_id"] == instance["id"] and task["scope"] == scope:
            found[task["node"]] = f"{'你' if task['mine'] else task['assignee'] or '待办'}，在办"
    return found
