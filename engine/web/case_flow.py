"""Diagrams of a case with the path taken, the place now and who was where."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from engine.access.actors import Actor
from engine.kernel.names import name_of, pack_of
from engine.runtime.queries import case_page as query
from engine.web import words
from engine.web.context import application, today


def diagrams(page: query.CasePage, *, actor: Actor) -> list[dict[str, Any]]:
    """The diagram of every process that runs (or of the last one that ran), and of the called process where an open step stands."""
    running = [row for row in page.instances if row["ended_at"] is None] or list(page.instances[-1:])
    found = []
    for instance in running:
        for process in _processes(page, instance):
            found.append(_diagram(page, instance, process, actor=actor))
    return [diagram for diagram in found if diagram is not None]


def _processes(page: query.CasePage, instance: Mapping[str, Any]) -> list[str]:
    """Called processes in which a step is open come first, the outer one after them."""
    inner = dict.fromkeys(task["process"] for task in page.tasks if task["instance_id"] == instance["id"] and task["process"] != instance["process"])
    return [*inner, instance["process"]]


def _diagram(page: query.CasePage, instance: Mapping[str, Any], process: str, *, actor: Actor) -> dict[str, Any] | None:
    library = application().library
    if process == instance["process"]:
        definition = library.definition(instance["definition_id"])
    else:
        id = library.bundle(instance["bundle_id"]).members.get(f"process:{process}")
        if id is None:
            return None
        definition = library.definition(id)
    done, here = query.path_taken(page, instance["id"])
    by = _who(page, instance, process, actor=actor)
    return {
        "title": definition.title,
        "version": definition.version,
        "url": url_for("processes.diagram", pack=pack_of(process), name=name_of(process), version=definition.version),
        "path": {"done": sorted(done), "here": sorted(here), "by": by},
        "spoken": "，".join(f"{row['title']}在办" for row in page.tasks if row["instance_id"] == instance["id"]) or "没有在办的步骤",
    }


def _who(page: query.CasePage, instance: Mapping[str, Any], process: str, *, actor: Actor) -> dict[str, str]:
    found = {
        node: f"{act['actor_name']} {words.on(act['at'], today=today())}" for node, act in query.who_passed(page, instance["id"]).items()
        if act["process"] == process
    }
    for task in page.tasks:
        if task["instance_id"] == instance["id"] and task["process"] == process:
            found[task["node"]] = f"{'你' if task['mine'] else task['assignee'] or '待认领'}，在办"
    return found
