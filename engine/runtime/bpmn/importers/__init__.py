"""Diagrams drawn for other engines: what has a meaning here becomes ``gc``, the rest a finding. Nothing of ours is overwritten."""
from __future__ import annotations

import copy

from lxml import etree

from engine.runtime.bpmn.errors import Finding
from engine.runtime.bpmn.importers import camunda7, standard, zeebe
from engine.runtime.bpmn.names import NS


def import_foreign(root: etree._Element) -> tuple[etree._Element, list[Finding]]:
    """A copy with foreign attributes mapped, and what couldn't be."""
    used = {uri for element in root.iter() for uri in element.nsmap.values()}
    importers = [module for module in (camunda7, zeebe, standard) if used & set(module.NAMESPACES)]
    root = copy.deepcopy(root)
    etree.register_namespace("gc", NS["gc"])
    findings: list[Finding] = []
    for module in importers:
        findings += module.convert(root)
    return root, findings
